#include "cli/text_table.h"

#include <algorithm>

#include "cli/text_width.h"

namespace grapnel::cli {

std::string align_columns(const std::vector<std::vector<std::string>>& rows,
                          std::string_view before, const std::vector<size_t>& to_right) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); i++) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line(before);
    for (size_t i = 0; i < row.size(); i++) {
      const std::string blanks(widths[i] - display_width(row[i]), ' ');
      const bool is_right = std::find(to_right.begin(), to_right.end(), i) != to_right.end();
      if (i > 0) line += "  ";
      line += is_right ? blanks + row[i] : row[i] + blanks;
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace grapnel::cli
