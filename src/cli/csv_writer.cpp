// CSV as RFC 4180 has it, with LF line ends: a field is quoted where it must be, and where it is
// the empty string, so that it differs from NULL. What is written reads back as the same values.
#include <algorithm>

#include "cli/writers.h"

namespace grapnel::cli {
namespace {

void append_field(std::string& out, std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return c == ',' || c == '"' || c == '\n' || c == '\r';
  });
  if (plain && !text.empty()) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

class CsvWriter : public ResultWriter {
 public:
  explicit CsvWriter(Output& output) : output_(output) {}

  void begin(const ArrowSchema& schema) override {
    schema_ = &schema;
    for (int64_t i = 0; i < schema.n_children; i++) {
      if (i > 0) output_.write(",");
      append_field(output_.buffer(), schema.children[i]->name);
    }
    output_.write("\n");
  }

  void add(const ArrowArray& batch) override {
    const auto columns = read_columns(*schema_, batch);
    for (int64_t row = 0; row < batch.length; row++) {
      append_row(columns, row);
      output_.flush_if_full();
    }
  }

  void end() override {}

 private:
  void append_row(const std::vector<api::ColumnText>& columns, int64_t row) {
    std::string& out = output_.buffer();
    bool first = true;
    for (const auto& column : columns) {
      if (!first) out += ',';
      first = false;
      if (column.is_null(row)) continue;
      if (!column.is_text()) {
        column.append(row, out);
      } else {
        append_field(out, column.text(row));
      }
    }
    // A line that is empty would be skipped by readers; the one NULL of a one-column row is kept
    // apart from it by nothing else, which is how DuckDB writes and reads it too.
    out += '\n';
  }

  Output& output_;
  const ArrowSchema* schema_ = nullptr;
};

}  // namespace

std::unique_ptr<ResultWriter> make_csv_writer(Output& output) {
  return std::make_unique<CsvWriter>(output);
}

}  // namespace grapnel::cli
