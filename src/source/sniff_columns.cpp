// Is there a header, how are the columns called, what are their types?
#include <algorithm>
#include <deque>
#include <map>

#include "base/limits.h"
#include "source/locate.h"
#include "source/sniff.h"
#include "source/type_guess.h"

namespace grapnel::source {
namespace {

constexpr size_t kSpotBytes = 32 << 10;

/// Cuts records of the sample into values, each of which must have `field_count` fields.
class SampleCutter {
 public:
  SampleCutter(const Dialect& dialect, size_t field_count)
      : dialect_(dialect), field_count_(field_count) {}

  /// False if the record is not made like the others. Only a header may lack the trailing
  /// delimiter.
  bool cut(std::string_view record, bool may_be_header) {
    fault_ = split_record(dialect_, record, fields_);
    if (fault_) return false;
    const bool trailing = dialect_.trailing_delimiter && fields_.size() == field_count_ + 1 &&
                          fields_.back().bytes.empty();
    if (trailing) fields_.pop_back();
    if (dialect_.trailing_delimiter && !trailing && !may_be_header) return false;
    if (fields_.size() != field_count_) return false;
    values_.clear();
    unescaped_.clear();
    for (const CsvField& field : fields_) {
      values_.push_back(field.has_doubled_quotes ? unescaped_.emplace_back(without_doubled_quotes(
                                                       field.bytes, dialect_.quote))
                                                 : field.bytes);
    }
    return true;
  }
  /// Valid until the next cut.
  [[nodiscard]] const std::vector<std::string_view>& values() const { return values_; }

  /// What is wrong with the record for which cut() gave false.
  [[nodiscard]] Error error(const Source& source, const SampleRecord& record) const {
    if (fault_) return quote_error(source, record.offset, record.bytes, *fault_);
    return Error{ErrorKind::data,
                 place(source, record.offset) + ": the record has " +
                     std::to_string(fields_.size()) + " fields, those before it " +
                     std::to_string(field_count_) + ": " + printable(record.bytes),
                 "correct or remove that line, or state the dialect: csv('" + source.path +
                     "', delim => '...', columns => '...')"};
  }

 private:
  const Dialect& dialect_;
  const size_t field_count_;
  std::optional<QuoteFault> fault_;
  std::vector<CsvField> fields_;
  std::vector<std::string_view> values_;
  std::deque<std::string> unescaped_;  ///< what `values_` points to where quotes were doubled
};

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

/// DuckDB's rule: a first record with just the declared names is a header; else, if all columns are
/// text (or the record is all NULL) it is one too; else it is one if some value does not convert to
/// its column's type. (DuckDB tries that more strictly than it converts later, so there 007 or 1.5
/// above integers, or 1 above BOOLEAN, is lost as a "header"; here it is data.)
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
                   (field_count == 1 ? " field" : " fields") + " where the delimiter is " +
                   printable(std::string_view(&source.layout.dialect.delimiter, 1)),
               "name every column in the file's order, or state the delimiter: csv('" +
                   source.path + "', delim => '...', columns => '...')"};
}

/// Types of the columns from all records of the sample but the first, and whether that one is a
/// header.
class ColumnSniffer {
 public:
  ColumnSniffer(const Source& source, const std::vector<SampleRecord>& records, size_t field_count)
      : source_(source),
        records_(records),
        cutter_(source.layout.dialect, field_count),
        guesses_(field_count) {}

  Status read() {
    for (size_t i = 0; i < records_.size(); ++i) {
      if (!cutter_.cut(records_[i].bytes, i == 0)) return cutter_.error(source_, records_[i]);
      if (i == 0) {
        first_.assign(cutter_.values().begin(), cutter_.values().end());
      } else {
        add(cutter_.values(), guesses_);
      }
    }
    return ok_status();
  }

  /// Takes the records of one more spot of the file into account. A spot that does not look like
  /// the first records (its quote state is a guess) is left out.
  Status read_spot(uint64_t offset) {
    GRAPNEL_TRY(const std::string bytes, read_bytes(source_, offset, kSpotBytes));
    const Layout& layout = source_.layout;
    const std::string_view text = bytes;
    const auto start = find_record_start(layout, text, guess_quote_state(layout, text));
    std::vector<TypeGuess> guesses = guesses_;
    for (size_t at = start.value_or(text.size()); at < text.size();) {
      const auto record = next_record(layout, text.substr(at), /*last=*/false);
      if (!record) break;
      if (record->content_size > 0) {
        if (!cutter_.cut(text.substr(at, record->content_size), false)) return ok_status();
        add(cutter_.values(), guesses);
      }
      at += record->consumed;
    }
    guesses_ = std::move(guesses);
    return ok_status();
  }

  [[nodiscard]] const std::vector<std::string>& first() const { return first_; }

  [[nodiscard]] bool sniff_header() const {
    std::vector<TypeGuess> guesses = guesses_;
    if (records_.size() == 1) add(first_, guesses);
    std::vector<Column> columns(guesses.size());
    for (size_t i = 0; i < guesses.size(); ++i) columns[i].type = guesses[i].type();
    return is_header_of(first_, columns);
  }

  [[nodiscard]] std::vector<Column> columns(bool header) const {
    std::vector<TypeGuess> guesses = guesses_;
    if (!header) add(first_, guesses);
    const std::vector<std::string> names =
        header ? header_names(first_) : std::vector<std::string>{};
    std::vector<Column> columns;
    columns.reserve(guesses.size());
    for (size_t i = 0; i < guesses.size(); ++i)
      columns.push_back({header ? names[i] : generated_name(i, guesses.size()), guesses[i].type(),
                         /*sniffed=*/true});
    return columns;
  }

 private:
  template <typename Text>
  static void add(const std::vector<Text>& values, std::vector<TypeGuess>& guesses) {
    for (size_t i = 0; i < guesses.size(); ++i) guesses[i].add(values[i]);
  }

  const Source& source_;
  const std::vector<SampleRecord>& records_;
  SampleCutter cutter_;
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
    if (!sample.whole_file) {
      // Types that only later records show: better found now than as an error in mid-query.
      const uint64_t sampled = sample.bytes.size();
      GRAPNEL_CHECK(sniffer.read_spot(sampled + (source.data_end - sampled) / 2));
      if (source.data_end - sampled > kSpotBytes)
        GRAPNEL_CHECK(sniffer.read_spot(source.data_end - kSpotBytes));
      layout.columns = sniffer.columns(layout.dialect.header);
    }
  }
  if (layout.dialect.header) {
    source.data_begin = records[0].end_offset;
  } else {
    // Blank lines in front are what blank lines elsewhere are.
    source.data_begin = skips_blank_records(layout) ? records[0].offset : sample.text_begin;
  }
  return ok_status();
}

}  // namespace grapnel::source
