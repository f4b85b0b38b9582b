// Cutting one CSV record into fields, with the exact rules for quotes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grapnel::source {

struct Dialect;

/// One field of a record. `bytes` lie between the quotes if there are any.
struct CsvField {
  std::string_view bytes;
  bool quoted = false;
  bool has_doubled_quotes = false;
};

/// A quote that stands where none may stand.
struct QuoteFault {
  size_t position = 0;       ///< byte in the record
  const char* problem = "";  ///< what is wrong with it, a sentence without the end
};

/// Cuts `record` (without its line end) into fields, all of them, replacing `fields`. A quote may
/// open a field at its start (after spaces: they are dropped, as in DuckDB), and must be followed
/// by delimiter or end of record (again after spaces) where it closes. Anything else is a fault;
/// `fields` is undefined then.
std::optional<QuoteFault> split_quoted(const Dialect& dialect, std::string_view record,
                                       std::vector<CsvField>& fields);

/// The same for a record in which no quote stands.
void split_plain(char delimiter, std::string_view record, std::vector<CsvField>& fields);

/// Cuts a record with or without quotes.
std::optional<QuoteFault> split_record(const Dialect& dialect, std::string_view record,
                                       std::vector<CsvField>& fields);

/// The value of a field that has doubled quotes: each pair becomes one.
std::string without_doubled_quotes(std::string_view bytes, char quote);

}  // namespace grapnel::source
