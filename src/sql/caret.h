// Shows the place of an error in the SQL text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::sql {

/// Two lines, each ending with a newline: the line of `sql` in which byte `offset` lies (cut to the
/// neighbourhood if it is long; control characters as spaces), and a caret under the place. In a
/// text of several lines the first begins with "LINE n: ".
std::string caret_lines(std::string_view sql, uint32_t offset);

/// The whole message: what failed, the caret lines if the error has a place, the hint. Ends with a
/// newline.
std::string describe(const Error& error, std::string_view sql);

}  // namespace grapnel::sql
