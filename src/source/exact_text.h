// Does a text keep all its digits in a type?
#pragma once

#include <string_view>

#include "op/type.h"

namespace grapnel::source {

/// True unless converting `text` to the integer or decimal `type` would round, or would need a form
/// (exponent, ...) that sniffing never takes for such a type. True for all other types.
bool keeps_all_digits(std::string_view text, op::Type type);

}  // namespace grapnel::source
