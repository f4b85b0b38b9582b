// Which delimiter and quote cut the first records into the same number of fields each?
#include <algorithm>
#include <array>
#include <map>

#include "source/locate.h"
#include "source/sniff.h"

namespace grapnel::source {
namespace {

constexpr size_t kDialectBytes = 64 << 10;
constexpr std::array kDelimiters = {',', '|', ';', '\t'};

/// The first records, cut by one pair of delimiter and quote.
struct Trial {
  Dialect dialect;
  size_t field_count = 0;                   ///< of the records, the trailing delimiter not counted
  bool consistent = false;                  ///< all records have as many fields
  bool uses_quotes = false;                 ///< some field is quoted
  bool majority = false;                    ///< more than half have `field_count` fields
  const SampleRecord* deviating = nullptr;  ///< first record with another number of fields
  size_t deviating_count = 0;
  std::optional<QuoteFault> fault;
  uint64_t fault_record = 0;  ///< offset of its record
};

struct RecordShape {
  size_t fields = 0;
  bool ends_empty = false;  ///< last field empty and unquoted
};

size_t most_common(const std::vector<RecordShape>& shapes) {
  std::map<size_t, size_t> counts;
  for (const RecordShape& shape : shapes) ++counts[shape.fields];
  const auto more = [](const auto& a, const auto& b) { return a.second < b.second; };
  return std::max_element(counts.begin(), counts.end(), more)->first;
}

/// Every record, but perhaps a header without it, ends with a delimiter that begins no column.
bool has_trailing_delimiter(const std::vector<RecordShape>& shapes, size_t fields) {
  if (fields < 2) return false;
  const bool bare_header =
      shapes.size() > 1 && shapes[0].fields + 1 == fields && !shapes[0].ends_empty;
  return std::all_of(shapes.begin() + (bare_header ? 1 : 0), shapes.end(),
                     [fields](const RecordShape& s) { return s.fields == fields && s.ends_empty; });
}

/// `wanted`: number of declared columns, or 0.
Trial try_dialect(const std::vector<SampleRecord>& records, char delimiter, char quote,
                  size_t wanted) {
  Trial trial;
  trial.dialect.delimiter = delimiter;
  trial.dialect.quote = quote;
  std::vector<RecordShape> shapes;
  std::vector<CsvField> fields;
  for (const SampleRecord& record : records) {
    if (auto fault = split_record(trial.dialect, record.bytes, fields)) {
      trial.fault = fault;
      trial.fault_record = record.offset;
      return trial;
    }
    trial.uses_quotes |=
        std::any_of(fields.begin(), fields.end(), [](const CsvField& f) { return f.quoted; });
    shapes.push_back({fields.size(), fields.back().bytes.empty() && !fields.back().quoted});
  }
  if (shapes.empty()) return trial;
  const size_t common = most_common(shapes);
  trial.dialect.trailing_delimiter = common != wanted && has_trailing_delimiter(shapes, common);
  trial.field_count = common - (trial.dialect.trailing_delimiter ? 1 : 0);
  size_t agreeing = 0;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].fields == common || (i == 0 && trial.dialect.trailing_delimiter)) {
      ++agreeing;
    } else if (trial.deviating == nullptr) {
      trial.deviating = &records[i];
      trial.deviating_count = shapes[i].fields;
    }
  }
  trial.consistent = trial.deviating == nullptr;
  trial.majority = 2 * agreeing > shapes.size();
  return trial;
}

std::string name_of(char delimiter) {
  return delimiter == '\t' ? "tab" : "'" + std::string(1, delimiter) + "'";
}

std::string fields_text(size_t count) {
  return std::to_string(count) + (count == 1 ? " field" : " fields");
}

Error uneven_error(const Source& source, const Trial& trial) {
  return Error{ErrorKind::data,
               place(source, trial.deviating->offset) + ": the record has " +
                   fields_text(trial.deviating_count) + " where the delimiter is " +
                   name_of(trial.dialect.delimiter) + ", but most have " +
                   std::to_string(trial.field_count + (trial.dialect.trailing_delimiter ? 1 : 0)) +
                   ": " + printable(trial.deviating->bytes),
               "correct or remove that line (titles and comments are no csv), or state the "
               "delimiter: csv('" +
                   source.path + "', delim => '...'); lines('" + source.path +
                   "') takes any text line by line"};
}

/// All trials of one quote, and the choice among them.
class Trials {
 public:
  Trials(const TableRequest& request, const Sample& sample, char quote)
      : records_(cut_sample(sample, quote, kDialectBytes)) {
    // The first record may be longer than the part that is looked at.
    if (records_.empty()) records_ = cut_sample(sample, quote, sample.bytes.size());
    if (request.columns) wanted_ = request.columns->size();
    if (request.delimiter) {
      trials_.push_back(try_dialect(records_, *request.delimiter, quote, wanted_));
    } else {
      for (const char delimiter : kDelimiters)
        trials_.push_back(try_dialect(records_, delimiter, quote, wanted_));
    }
  }
  Trials(const Trials&) = delete;
  Trials& operator=(const Trials&) = delete;

  [[nodiscard]] bool no_records() const { return records_.empty(); }

  /// The dialect that fits, or none. `preferred`: delimiter that the file's name speaks for.
  [[nodiscard]] const Trial* best(char preferred) const {
    const Trial* best = nullptr;
    for (const Trial& trial : trials_) {
      if (trial.fault || !trial.consistent) continue;
      if (best == nullptr || rank(trial, preferred) > rank(*best, preferred)) best = &trial;
    }
    return best;
  }
  /// A delimiter that cuts most, but not all, records into the same number of fields.
  [[nodiscard]] const Trial* nearly() const {
    const Trial* nearly = nullptr;
    for (const Trial& trial : trials_) {
      if (trial.fault || trial.consistent || !trial.majority) continue;
      if (trial.field_count < 2 && trials_.size() > 1) continue;
      if (nearly == nullptr || trial.field_count > nearly->field_count) nearly = &trial;
    }
    return nearly;
  }
  [[nodiscard]] const Trial* uneven() const {
    for (const Trial& trial : trials_)
      if (!trial.fault && trial.deviating != nullptr) return &trial;
    return nullptr;
  }
  /// The fault that lies deepest in the file: the delimiter that went well longest.
  [[nodiscard]] const Trial* fault() const {
    const Trial* fault = nullptr;
    for (const Trial& trial : trials_)
      if (trial.fault && (fault == nullptr || trial.fault_record > fault->fault_record))
        fault = &trial;
    return fault;
  }

 private:
  [[nodiscard]] size_t rank(const Trial& trial, char preferred) const {
    if (wanted_ > 0 && trial.field_count == wanted_) return SIZE_MAX;
    if (trial.dialect.delimiter == preferred && trial.field_count > 1) return SIZE_MAX - 1;
    return trial.field_count;
  }

  std::vector<SampleRecord> records_;
  std::vector<Trial> trials_;
  size_t wanted_ = 0;
};

char preferred_delimiter(std::string_view path) {
  const auto ends_with = [path](std::string_view suffix) {
    return path.size() >= suffix.size() &&
           std::equal(suffix.begin(), suffix.end(),
                      path.end() - static_cast<ptrdiff_t>(suffix.size()),
                      [](char a, char b) { return a == (b | 0x20); });
  };
  if (ends_with("tsv")) return '\t';
  if (ends_with("tbl")) return '|';
  return '\0';
}

/// True if a quote opens some field under a delimiter that fits when quotes mean nothing: then they
/// do mean something, and leaving them in the values would be wrong.
bool opens_fields(const Sample& sample, const Dialect& dialect, char quote) {
  for (const SampleRecord& record : cut_sample(sample, '\0', kDialectBytes)) {
    std::vector<CsvField> fields;
    split_plain(dialect.delimiter, record.bytes, fields);
    for (const CsvField& field : fields)
      if (!field.bytes.empty() && field.bytes.front() == quote) return true;
  }
  return false;
}

}  // namespace

Result<Dialect> sniff_dialect(const TableRequest& request, const Source& source,
                              const Sample& sample, size_t* field_count) {
  const char preferred = preferred_delimiter(request.path);
  const auto chosen = [field_count](const Trial& trial) {
    *field_count = trial.field_count;
    return trial.dialect;
  };
  const char first_quote = request.quote.value_or('"');
  const Trials usual(request, sample, first_quote);
  const Trial* best = usual.best(preferred);
  if (!request.quote) {
    // 'single' quotes around fields, in a file where no "double" ones stand around any.
    if ((best == nullptr || !best->uses_quotes) && sample.bytes.find('\'') != std::string::npos) {
      const Trials single(request, sample, '\'');
      const Trial* fits = single.best(preferred);
      if (fits != nullptr && fits->uses_quotes) return chosen(*fits);
    }
    // Quotes that stand anywhere but around fields are ordinary characters.
    if (usual.fault() != nullptr && (best == nullptr || best->field_count < 2)) {
      const Trials none(request, sample, '\0');
      const Trial* fits = none.best(preferred);
      if (fits != nullptr && !opens_fields(sample, fits->dialect, first_quote))
        return chosen(*fits);
    }
  }
  if (best != nullptr && best->field_count > 1) return chosen(*best);
  if (const Trial* nearly = usual.nearly()) return uneven_error(source, *nearly);
  if (best != nullptr) return chosen(*best);
  if (const Trial* fault = usual.fault()) {
    const std::string_view text = sample.bytes;
    return quote_error(source, fault->fault_record, text.substr(fault->fault_record),
                       *fault->fault);
  }
  if (const Trial* uneven = usual.uneven()) return uneven_error(source, *uneven);
  return Error{ErrorKind::limit,
               source.path + ": no record ends in the first " +
                   std::to_string(sample.bytes.size()) + " bytes",
               "is this a text file with line ends? A quoted field that is never closed looks like "
               "this too"};
}

}  // namespace grapnel::source
