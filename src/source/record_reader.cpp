#include <algorithm>

#include "base/limits.h"
#include "source/exact_text.h"
#include "source/fixed.h"
#include "source/locate.h"
#include "source/source.h"

namespace grapnel::source {
namespace {

std::string count_of(size_t number, const char* thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

}  // namespace

Error record_too_long(const Source& source, uint64_t file_offset) {
  Error error{ErrorKind::limit,
              place(source, file_offset) + ": the record that begins here has more than " +
                  std::to_string(limits::kRecordBytes >> 20) + " MiB",
              "is this a text file with line ends?"};
  if (source.layout.format == Format::csv && source.layout.dialect.quote != '\0')
    error.hint =
        "probably a quoted field is never closed; if quotes mean nothing in this file, say "
        "csv('" +
        source.path + "', quote => '')";
  return error;
}

void RecordReader::set_record(std::string_view bytes, uint64_t file_offset) {
  record_ = bytes;
  file_offset_ = file_offset;
  checked_ = false;
  record_exhausted_ = false;
  next_field_begin_ = 0;
  fields_.clear();
  unescaped_.clear();
}

Status RecordReader::check() {
  if (checked_) return ok_status();
  checked_ = true;
  if (record_.size() > limits::kRecordBytes) return record_too_long(source_, file_offset_);
  const Dialect& dialect = source_.layout.dialect;
  if (source_.layout.format != Format::csv || dialect.quote == '\0' ||
      record_.find(dialect.quote) == std::string_view::npos)
    return ok_status();
  const auto fault = split_quoted(dialect, record_, fields_);
  record_exhausted_ = true;
  if (!fault) return ok_status();
  checked_ = false;  // so that the next call fails too
  return quote_error(source_, file_offset_, record_, *fault);
}

/// Cuts fields until `index` is among them.
Status RecordReader::split_until(uint32_t index) {
  GRAPNEL_CHECK(check());
  const char delimiter = source_.layout.dialect.delimiter;
  while (fields_.size() <= index && !record_exhausted_) {
    const size_t end = std::min(record_.find(delimiter, next_field_begin_), record_.size());
    fields_.push_back({record_.substr(next_field_begin_, end - next_field_begin_), false, false});
    next_field_begin_ = end + 1;
    record_exhausted_ = end == record_.size();
  }
  return ok_status();
}

/// True if the record ends with field `index` (and its trailing delimiter, in such a dialect).
bool RecordReader::ends_here(uint32_t index) const {
  const bool may_trail = source_.layout.dialect.trailing_delimiter;
  if (!record_exhausted_) return may_trail && next_field_begin_ == record_.size();
  if (fields_.size() == index + 1) return true;
  return may_trail && fields_.size() == index + 2 && fields_.back().bytes.empty();
}

std::string_view RecordReader::unquoted(uint32_t index) {
  const CsvField& field = fields_[index];
  if (!field.has_doubled_quotes) return field.bytes;
  for (const Unescaped& known : unescaped_)
    if (known.field == index) return known.text;
  unescaped_.push_front({index, without_doubled_quotes(field.bytes, source_.layout.dialect.quote)});
  return unescaped_.front().text;
}

Error RecordReader::value_error(uint32_t index, std::string_view text, std::string what) const {
  const Column& column = source_.layout.columns[index];
  uint64_t offset = file_offset_;
  if (text.data() >= record_.data() && text.data() <= record_.data() + record_.size())
    offset += static_cast<uint64_t>(text.data() - record_.data());
  Error error{ErrorKind::data,
              place(source_, offset) + ", column " + column.name + ": " + std::move(what), ""};
  if (source_.layout.format == Format::fixed) {
    error.hint = "do the declared columns fit the file?";
  } else if (column.sniffed) {
    error.hint = "the type " + column.type.to_string() +
                 " was taken from samples of the file; state a wider one, such as VARCHAR for " +
                 column.name + ", in csv('" + source_.path +
                 "', columns => '...') (grapnel schema prints the text to change)";
  } else {
    error.hint = "correct the file, or state another type for " + column.name +
                 ", such as VARCHAR, in columns => '...'";
  }
  return error;
}

Result<op::Datum> RecordReader::load_csv(uint32_t index) {
  GRAPNEL_CHECK(split_until(index));
  const Column& column = source_.layout.columns[index];
  if (fields_.size() <= index) {
    return value_error(index, record_,
                       "the record has only " + count_of(fields_.size(), "field") + ", " +
                           column.name + " would be number " + std::to_string(index + 1) + ": " +
                           printable(record_));
  }
  if (index + 1 == source_.layout.columns.size() && !ends_here(index)) {
    GRAPNEL_CHECK(split_until(static_cast<uint32_t>(record_.size())));
    return value_error(index, record_,
                       "the record has " + count_of(fields_.size(), "field") + ", expected " +
                           std::to_string(source_.layout.columns.size()) + ": " +
                           printable(record_));
  }
  const std::string_view bytes = fields_[index].bytes;
  if (bytes.empty()) return op::Datum::null();
  const std::string_view text = unquoted(index);
  if (column.type.kind == op::TypeKind::varchar) return op::Datum::of_text(text);
  const auto value = op::parse_text(text, column.type);
  if (!value || (column.sniffed && !keeps_all_digits(text, column.type))) {
    return value_error(
        index, bytes,
        printable(text) + " is no " + column.type.to_string() + (value ? " without rounding" : ""));
  }
  return *value;
}

Result<op::Datum> RecordReader::load_fixed(uint32_t index) const {
  const op::Type type = source_.layout.columns[index].type;
  const char* bytes = record_.data() + source_.layout.field_offsets[index];
  const auto value = read_fixed(bytes, type);
  if (value) return *value;
  return value_error(index, {bytes, fixed_width(type)},
                     "the value has more digits than " + type.to_string() + " holds");
}

Result<op::Datum> RecordReader::load(uint32_t index) {
  switch (source_.layout.format) {
    case Format::csv:
      return load_csv(index);
    case Format::fixed:
      return load_fixed(index);
    case Format::lines:
      break;
  }
  GRAPNEL_CHECK(check());
  if (index == 0) return op::Datum::of_text(record_);
  return op::Datum::of_integer(static_cast<Int128>(file_offset_));
}

}  // namespace grapnel::source
