// Tables of plain text.
#pragma once

#include <string>
#include <vector>

namespace grapnel::cli {

/// Columns aligned, two blanks in front of each; one line per row.
std::string align_columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace grapnel::cli
