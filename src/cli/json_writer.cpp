// JSON: an array with one object per line, so that a program can parse the whole and a person (or
// grep) the lines. Numbers keep all their digits, whatever their size: readers that put numbers
// into doubles lose some, others do not. nan and inf, which JSON has not, are strings.
#include <cstdio>
#include <set>

#include "cli/text_width.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

/// Column names as keys, made unique: a second `x` becomes `x_1`, since parsers keep one of two.
std::vector<std::string> make_keys(const ArrowSchema& schema) {
  std::set<std::string> taken;
  std::vector<std::string> keys;
  for (int64_t i = 0; i < schema.n_children; i++) {
    const std::string name = schema.children[i]->name;
    std::string unique = name;
    for (int number = 1; !taken.insert(unique).second; number++) {
      unique = name + "_" + std::to_string(number);
    }
    std::string key;
    append_json_string(key, unique);
    keys.push_back(key + ": ");
  }
  return keys;
}

bool is_json_number(std::string_view text) {
  const char last = text.empty() ? '\0' : text.back();
  return (last >= '0' && last <= '9') || last == '.';
}

class JsonWriter : public ResultWriter {
 public:
  explicit JsonWriter(Output& output) : output_(output) {}

  void begin(const ArrowSchema& schema) override {
    schema_ = &schema;
    keys_ = make_keys(schema);
    output_.write("[");
  }

  void add(const ArrowArray& batch) override {
    const auto columns = read_columns(*schema_, batch);
    for (int64_t row = 0; row < batch.length; row++) {
      output_.write(any_rows_ ? ",\n{" : "\n{");
      any_rows_ = true;
      for (size_t i = 0; i < columns.size(); i++) {
        if (i > 0) output_.write(", ");
        output_.write(keys_[i]);
        append_value(columns[i], row);
      }
      output_.write("}");
      output_.flush_if_full();
    }
  }

  void end() override { output_.write(any_rows_ ? "\n]\n" : "]\n"); }

 private:
  void append_value(const api::ColumnText& column, int64_t row) {
    if (column.is_null(row)) {
      output_.write("null");
      return;
    }
    text_.clear();
    column.append(row, text_);
    const bool plain = column.is_boolean() || (column.is_number() && is_json_number(text_));
    if (plain) {
      output_.write(text_);
    } else {
      append_json_string(output_.buffer(), text_);
    }
  }

  Output& output_;
  const ArrowSchema* schema_ = nullptr;
  std::vector<std::string> keys_;
  std::string text_;
  bool any_rows_ = false;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const size_t length = decode_utf8(text.substr(i), &c);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      i++;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  out += '"';
}

std::unique_ptr<ResultWriter> make_json_writer(Output& output) {
  return std::make_unique<JsonWriter>(output);
}

}  // namespace grapnel::cli
