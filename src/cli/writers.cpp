#include "cli/writers.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace grapnel::cli {

TerminalSize terminal_size() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0) return {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

std::vector<api::ColumnText> read_columns(const ArrowSchema& schema, const ArrowArray& batch) {
  std::vector<api::ColumnText> columns;
  columns.reserve(static_cast<size_t>(schema.n_children));
  for (int64_t i = 0; i < schema.n_children; i++) {
    columns.emplace_back(*schema.children[i], *batch.children[i]);
  }
  return columns;
}

std::unique_ptr<ResultWriter> make_writer(OutputFormat format, Output& output,
                                          TerminalSize terminal) {
  switch (format) {
    case OutputFormat::csv:
      return make_csv_writer(output);
    case OutputFormat::json:
      return make_json_writer(output);
    case OutputFormat::table:
      break;
  }
  return make_table_writer(output, terminal);
}

}  // namespace grapnel::cli
