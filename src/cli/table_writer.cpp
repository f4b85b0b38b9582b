// Aligned columns. Their widths come from the first rows, which are held back until they are known;
// rows after those are written as they come and may stick out. On a terminal the table is cut to
// the terminal's width and, where it is long, to its first rows.
#include <algorithm>

#include "cli/text_width.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

constexpr size_t kRowsForWidths = 10'000;
constexpr size_t kCellsForWidths = 1'000'000;
constexpr size_t kTerminalRows = 40;  ///< shown at least, however low the terminal is
constexpr size_t kNarrowestColumn = 8;

struct TableColumn {
  std::string name;
  bool right = false;  ///< numbers
  size_t width = 0;
};

class TableWriter : public ResultWriter {
 public:
  TableWriter(Output& output, TerminalSize terminal) : output_(output), terminal_(terminal) {
    if (terminal.columns > 0) row_limit_ = std::max(kTerminalRows, terminal.rows * 2);
  }

  void begin(const ArrowSchema& schema) override {
    schema_ = &schema;
    for (int64_t i = 0; i < schema.n_children; i++) {
      TableColumn column;
      column.name = printable(schema.children[i]->name);
      column.width = display_width(column.name);
      columns_.push_back(std::move(column));
    }
  }

  void add(const ArrowArray& batch) override {
    const auto readers = read_columns(*schema_, batch);
    for (size_t i = 0; i < readers.size(); i++) columns_[i].right = readers[i].is_number();
    for (int64_t row = 0; row < batch.length; row++) {
      rows_++;
      if (row_limit_ && rows_ > *row_limit_) continue;
      add_row(readers, row);
    }
  }

  void end() override {
    if (!started_) start();
    if (row_limit_ && rows_ > *row_limit_) {
      output_.write("... " + std::to_string(rows_ - *row_limit_) + " of " + std::to_string(rows_) +
                    " rows not shown (--format csv shows all)\n");
    }
  }

 private:
  using Row = std::vector<std::string>;

  void add_row(const std::vector<api::ColumnText>& readers, int64_t row) {
    Row cells;
    cells.reserve(readers.size());
    for (const auto& reader : readers) {
      text_.clear();
      if (reader.is_null(row)) {
        text_ = "NULL";
      } else {
        reader.append(row, text_);
      }
      cells.push_back(reader.is_text() ? printable(text_) : text_);
    }
    if (started_) {
      write_row(cells);
      return;
    }
    for (size_t i = 0; i < cells.size(); i++) {
      columns_[i].width = std::max(columns_[i].width, display_width(cells[i]));
    }
    waiting_.push_back(std::move(cells));
    const bool enough =
        waiting_.size() >= kRowsForWidths || waiting_.size() * columns_.size() >= kCellsForWidths;
    if (enough) start();
  }

  /// Widths are known: heading, and the rows that waited.
  void start() {
    started_ = true;
    if (terminal_.columns > 0) fit_to_terminal();
    Row names;
    std::string line;
    for (const auto& column : columns_) {
      names.push_back(column.name);
      if (!line.empty()) line += '+';
      line.append(column.width + 2, '-');
    }
    write_row(names);
    output_.write(line + "\n");
    for (const auto& row : waiting_) write_row(row);
    waiting_.clear();
  }

  /// Takes columns off the widest until the table fits, or nothing is left to take.
  void fit_to_terminal() {
    const auto total = [&] {
      size_t sum = columns_.size() * 3 - 1;
      for (const auto& column : columns_) sum += column.width;
      return sum;
    };
    while (!columns_.empty() && total() > terminal_.columns) {
      const auto widest =
          std::max_element(columns_.begin(), columns_.end(), [](const auto& a, const auto& b) {
            return (a.right ? 0 : a.width) < (b.right ? 0 : b.width);
          });
      if (widest->right || widest->width <= kNarrowestColumn) return;  // digits are never cut off
      const size_t excess = total() - terminal_.columns;
      widest->width = std::max(kNarrowestColumn, widest->width - std::min(excess, widest->width));
    }
  }

  void write_row(const Row& cells) {
    std::string& out = output_.buffer();
    for (size_t i = 0; i < cells.size(); i++) {
      const TableColumn& column = columns_[i];
      const bool cut = terminal_.columns > 0 && !column.right;
      const std::string cell = cut ? shorten(cells[i], column.width) : cells[i];
      const size_t used = display_width(cell);
      const size_t padding = column.width > used ? column.width - used : 0;
      out += i == 0 ? " " : " | ";
      if (column.right) out.append(padding, ' ');
      out += cell;
      const bool last = i + 1 == cells.size();
      if (!column.right && !last) out.append(padding, ' ');
    }
    out += '\n';
    output_.flush_if_full();
  }

  Output& output_;
  TerminalSize terminal_;
  const ArrowSchema* schema_ = nullptr;
  std::vector<TableColumn> columns_;
  std::vector<Row> waiting_;
  std::optional<size_t> row_limit_;
  size_t rows_ = 0;
  bool started_ = false;
  std::string text_;
};

}  // namespace

std::unique_ptr<ResultWriter> make_table_writer(Output& output, TerminalSize terminal) {
  return std::make_unique<TableWriter>(output, terminal);
}

}  // namespace grapnel::cli
