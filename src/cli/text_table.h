// Tables of plain text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace grapnel::cli {

/// One line per row, with `before` in front of each; columns aligned by what a terminal shows, two
/// blanks between them. Columns whose number is in `to_right` hold numbers. A row may be shorter
/// than others.
std::string align_columns(const std::vector<std::vector<std::string>>& rows,
                          std::string_view before = "", const std::vector<size_t>& to_right = {});

}  // namespace grapnel::cli
