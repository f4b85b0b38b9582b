#include "source/csv_fields.h"

#include <cstring>

#include "source/source.h"

namespace grapnel::source {
namespace {

size_t skip_spaces(std::string_view text, size_t from) {
  while (from < text.size() && text[from] == ' ') ++from;
  return from;
}

/// Cuts the quoted field whose opening quote stands at `open`. On success `*end` is where its
/// delimiter stands, or the record's size.
std::optional<QuoteFault> quoted_field(const Dialect& dialect, std::string_view record, size_t open,
                                       CsvField& field, size_t* end) {
  field.quoted = true;
  field.has_doubled_quotes = false;
  size_t at = open + 1;
  for (;;) {
    const size_t close = record.find(dialect.quote, at);
    if (close == std::string_view::npos) return QuoteFault{open, "a quoted field is never closed"};
    if (close + 1 < record.size() && record[close + 1] == dialect.quote) {
      field.has_doubled_quotes = true;
      at = close + 2;
      continue;
    }
    field.bytes = record.substr(open + 1, close - open - 1);
    *end = skip_spaces(record, close + 1);
    if (*end < record.size() && record[*end] != dialect.delimiter)
      return QuoteFault{close, "a closing quote is followed by more text of the field"};
    return std::nullopt;
  }
}

}  // namespace

std::optional<QuoteFault> split_quoted(const Dialect& dialect, std::string_view record,
                                       std::vector<CsvField>& fields) {
  fields.clear();
  size_t begin = 0;
  for (;;) {
    CsvField field;
    size_t end = 0;
    const size_t content = skip_spaces(record, begin);
    if (content < record.size() && record[content] == dialect.quote) {
      if (auto fault = quoted_field(dialect, record, content, field, &end)) return fault;
    } else {
      end = std::min(record.find(dialect.delimiter, begin), record.size());
      field.bytes = record.substr(begin, end - begin);
      if (const size_t stray = field.bytes.find(dialect.quote); stray != std::string_view::npos)
        return QuoteFault{begin + stray, "a quote stands inside an unquoted field"};
    }
    fields.push_back(field);
    if (end == record.size()) return std::nullopt;
    begin = end + 1;
  }
}

void split_plain(char delimiter, std::string_view record, std::vector<CsvField>& fields) {
  fields.clear();
  size_t begin = 0;
  for (;;) {
    const size_t end = std::min(record.find(delimiter, begin), record.size());
    fields.push_back({record.substr(begin, end - begin), false, false});
    if (end == record.size()) return;
    begin = end + 1;
  }
}

std::optional<QuoteFault> split_record(const Dialect& dialect, std::string_view record,
                                       std::vector<CsvField>& fields) {
  if (dialect.quote != '\0' && record.find(dialect.quote) != std::string_view::npos)
    return split_quoted(dialect, record, fields);
  split_plain(dialect.delimiter, record, fields);
  return std::nullopt;
}

std::string without_doubled_quotes(std::string_view bytes, char quote) {
  std::string text;
  text.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    text.push_back(bytes[i]);
    if (bytes[i] == quote) ++i;  // the second one of a pair
  }
  return text;
}

}  // namespace grapnel::source
