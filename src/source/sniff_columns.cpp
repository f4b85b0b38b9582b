// Is there a header, how are the columns called, what are their types?
#include <algorithm>
#include <map>

#include "base/limits.h"
#include "source/locate.h"
#include "source/sniff.h"
#include "source/type_guess.h"

namespace grapnel::source {
namespace {

std::string value_of(const CsvField& field, char quote) {
  return field.has_doubled_quotes ? without_doubled_quotes(field.bytes, quote)
                                  : std::string(field.bytes);
}

/// Fields of one record of the sample as values; a data error if it is not made like the others.
Result<std::vector<std::string>> values_of(const Source& source, const SampleRecord& record,
                                           size_t field_count, bool is_first) {
  const Dialect& dialect = source.layout.dialect;
  std::vector<CsvField> fields;
  if (const auto fault = split_record(dialect, record.bytes, fields)) {
    return Error{ErrorKind::data,
                 place(source, record.offset + fault->position) + ": " + fault->problem + ": " +
                     printable(record.bytes.substr(fault->position)),
                 "a quote may stand only around a whole field, doubled inside it; if quotes mean "
                 "nothing in this file, say csv('" +
                     source.path + "', quote => '')"};
  }
  const bool trailing = dialect.trailing_delimiter && fields.back().bytes.empty();
  if (trailing && fields.size() == field_count + 1) fields.pop_back();
  if (fields.size() != field_count || (dialect.trailing_delimiter && !trailing && !is_first)) {
    return Error{ErrorKind::data,
                 place(source, record.offset) + ": the record has " +
                     std::to_string(fields.size()) + " fields, those before it " +
                     std::to_string(field_count) + ": " + printable(record.bytes),
                 "correct or remove that line, or state the dialect: csv('" + source.path +
                     "', delim => '...', columns => '...')"};
  }
  std::vector<std::string> values;
  values.reserve(field_count);
  for (const CsvField& field : fields) values.push_back(value_of(field, dialect.quote));
  return values;
}

std::string generated_name(size_t index, size_t count) {
  const size_t width = std::to_string(count - 1).size();
  const std::string digits = std::to_string(index);
  return "column" + std::string(width - digits.size(), '0') + digits;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return text;
}

/// Names of a header as DuckDB makes them: empty ones by position, repeated ones (case apart) with
/// a number behind.
std::vector<std::string> header_names(const std::vector<std::string>& header) {
  std::map<std::string, size_t> uses;
  std::vector<std::string> names;
  for (size_t i = 0; i < header.size(); ++i) {
    const size_t begin = header[i].find_first_not_of(" \t");
    std::string name = begin == std::string::npos
                           ? generated_name(i, header.size())
                           : header[i].substr(begin, header[i].find_last_not_of(" \t") - begin + 1);
    for (auto used = uses.find(lower(name)); used != uses.end(); used = uses.find(lower(name)))
      name += "_" + std::to_string(++used->second);
    uses.emplace(lower(name), 0);
    names.push_back(std::move(name));
  }
  return names;
}

/// DuckDB's rule when the user named the columns: a first record with just these names is a header;
/// else, if all columns are text (or the record is all NULL) it is one too; else it is one if some
/// value does not fit its column.
bool is_header_of(const std::vector<std::string>& first, const std::vector<Column>& columns) {
  const auto same_name = [](const std::string& text, const Column& column) {
    return text == column.name;
  };
  if (std::equal(first.begin(), first.end(), columns.begin(), columns.end(), same_name))
    return true;
  bool all_text = true;
  bool fits = true;
  for (size_t i = 0; i < columns.size(); ++i) {
    all_text &= columns[i].type.kind == op::TypeKind::varchar;
    fits &= could_hold(columns[i].type, first[i]);
  }
  const bool all_null =
      std::all_of(first.begin(), first.end(), [](const std::string& v) { return v.empty(); });
  return all_text || all_null || !fits;
}

Status check_count(const Source& source, const std::vector<Column>& columns, size_t field_count) {
  if (columns.size() == field_count) return ok_status();
  return Error{ErrorKind::data,
               source.path + ": columns => names " + std::to_string(columns.size()) +
                   " columns, but the records have " + std::to_string(field_count) +
                   " fields where the delimiter is " +
                   printable(std::string_view(&source.layout.dialect.delimiter, 1)),
               "name every column in the file's order, or state the delimiter: csv('" +
                   source.path + "', delim => '...', columns => '...')"};
}

/// Types of the columns from all records of the sample but the first, and whether that one is a
/// header.
class ColumnSniffer {
 public:
  ColumnSniffer(const Source& source, const std::vector<SampleRecord>& records, size_t field_count)
      : source_(source), records_(records), guesses_(field_count) {}

  Status read() {
    GRAPNEL_TRY(first_, values_of(source_, records_[0], guesses_.size(), true));
    for (size_t i = 1; i < records_.size(); ++i) {
      GRAPNEL_TRY(const std::vector<std::string> values,
                  values_of(source_, records_[i], guesses_.size(), false));
      for (size_t c = 0; c < values.size(); ++c) guesses_[c].add(values[c]);
    }
    return ok_status();
  }

  [[nodiscard]] const std::vector<std::string>& first() const { return first_; }

  [[nodiscard]] bool sniff_header() const {
    std::vector<TypeGuess> guesses = guesses_;
    if (records_.size() == 1) add_first(guesses);
    std::vector<Column> columns(guesses.size());
    for (size_t i = 0; i < guesses.size(); ++i) columns[i].type = guesses[i].type();
    return is_header_of(first_, columns);
  }

  [[nodiscard]] std::vector<Column> columns(bool header) const {
    std::vector<TypeGuess> guesses = guesses_;
    if (!header) add_first(guesses);
    const std::vector<std::string> names =
        header ? header_names(first_) : std::vector<std::string>{};
    std::vector<Column> columns;
    for (size_t i = 0; i < guesses.size(); ++i)
      columns.push_back({header ? names[i] : generated_name(i, guesses.size()), guesses[i].type(),
                         /*sniffed=*/true});
    return columns;
  }

 private:
  void add_first(std::vector<TypeGuess>& guesses) const {
    for (size_t i = 0; i < guesses.size(); ++i) guesses[i].add(first_[i]);
  }

  const Source& source_;
  const std::vector<SampleRecord>& records_;
  std::vector<TypeGuess> guesses_;
  std::vector<std::string> first_;
};

}  // namespace

Status sniff_columns(const TableRequest& request, const Sample& sample, size_t field_count,
                     Source& source) {
  if (field_count > limits::kColumns) {
    return Error{ErrorKind::limit,
                 source.path + ": " + std::to_string(field_count) + " columns; the limit is " +
                     std::to_string(limits::kColumns),
                 ""};
  }
  Layout& layout = source.layout;
  std::vector<SampleRecord> records = cut_sample(sample, layout.dialect.quote, sample.bytes.size());
  if (request.columns) records.resize(1);  // nothing to learn from the others
  ColumnSniffer sniffer(source, records, field_count);
  GRAPNEL_CHECK(sniffer.read());
  if (request.columns) {
    GRAPNEL_CHECK(check_count(source, *request.columns, field_count));
    layout.dialect.header =
        request.header ? *request.header : is_header_of(sniffer.first(), *request.columns);
    layout.columns = *request.columns;
  } else {
    layout.dialect.header = request.header ? *request.header : sniffer.sniff_header();
    layout.columns = sniffer.columns(layout.dialect.header);
  }
  if (layout.dialect.header) source.data_begin = records[0].end_offset;
  return ok_status();
}

}  // namespace grapnel::source
