// From what the user asked for to an open, described table.
#include <algorithm>

#include "base/limits.h"
#include "source/fixed.h"
#include "source/open_file.h"
#include "source/sniff.h"

namespace grapnel::source {
namespace {

constexpr size_t kSampleBytes = 128 << 10;
/// Where nothing is sniffed: enough to see whether the file is what its size and name say.
constexpr size_t kProbeBytes = 16 << 10;

std::string lower_suffix(const std::string& path) {
  const size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] == '/') return "";
  std::string suffix = path.substr(dot);
  for (char& c : suffix)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return suffix;
}

Error unknown_suffix(const std::string& path, const std::string& suffix) {
  std::string hint;
  if (suffix == ".gz" || suffix == ".zst" || suffix == ".bz2" || suffix == ".xz" ||
      suffix == ".lz4" || suffix == ".zip") {
    hint = "grapnel reads the bytes as they lie in the file: decompress it first";
  } else if (suffix == ".log" || suffix == ".txt") {
    hint = "for text line by line: FROM lines('" + path +
           "'); for csv under this name: FROM csv('" + path + "')";
  } else if (suffix == ".bin" || suffix == ".dat") {
    hint = "for fixed records: FROM fixed('" + path +
           "', columns => '...'); for csv under this "
           "name: FROM csv('" +
           path + "')";
  } else {
    hint = "say which: FROM csv('" + path + "'), lines('" + path + "') or fixed('" + path +
           "', columns => '...')";
  }
  return Error{ErrorKind::usage,
               path + ": the reader is chosen by the name's end (.csv, .tsv, .tbl), and '" +
                   (suffix.empty() ? std::string("none") : suffix) + "' is not among them",
               std::move(hint)};
}

Result<Format> format_of(const TableRequest& request) {
  if (request.format) return *request.format;
  const std::string suffix = lower_suffix(request.path);
  if (suffix == ".csv" || suffix == ".tsv" || suffix == ".tbl") return Format::csv;
  return unknown_suffix(request.path, suffix);
}

Error bad_option(std::string message, std::string hint = {}) {
  return Error{ErrorKind::usage, std::move(message), std::move(hint)};
}

/// A byte that could be part of a number, a word or a line end would make the cut ambiguous.
bool usable_as_separator(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
  return !is_word && byte != 0 && byte != '\n' && byte != '\r' && byte != '+' && byte != '-' &&
         byte != '.';
}

Status check_columns(const std::vector<Column>& columns) {
  if (columns.empty()) return bad_option("columns => names no column");
  if (columns.size() > limits::kColumns) {
    return Error{ErrorKind::limit,
                 "columns => names " + std::to_string(columns.size()) + " columns; the limit is " +
                     std::to_string(limits::kColumns),
                 ""};
  }
  return ok_status();
}

Status check_options(const TableRequest& request, Format format) {
  const bool has_csv_option = request.delimiter || request.quote || request.header;
  if (format != Format::csv && has_csv_option)
    return bad_option("delim, quote and header are options of csv(...) only");
  if (format == Format::lines && request.columns)
    return bad_option("lines(...) has the columns line and line_offset; it takes no columns =>");
  if (format == Format::fixed && !request.columns) {
    return bad_option("fixed('" + request.path + "') needs columns =>",
                      "for example fixed('" + request.path +
                          "', columns => 'id BIGINT, price DECIMAL(15,2), day DATE')");
  }
  if (request.columns) GRAPNEL_CHECK(check_columns(*request.columns));
  if (request.delimiter && !usable_as_separator(*request.delimiter)) {
    return bad_option("this delimiter cannot be used",
                      "a delimiter is one ASCII byte, no letter, digit, sign, point or line end");
  }
  if (request.quote && *request.quote != '\0' &&
      (!usable_as_separator(*request.quote) || *request.quote == ' ')) {
    return bad_option(
        "this quote cannot be used",
        "a quote is one ASCII byte, no letter, digit, sign, point, space or line end; "
        "quote => '' means none");
  }
  if (request.delimiter && request.quote && *request.delimiter == *request.quote)
    return bad_option("delimiter and quote are the same");
  return ok_status();
}

/// A sample that holds a whole record, if one ends within the limit.
Result<Sample> csv_sample(const Source& source, char quote) {
  size_t size = kSampleBytes;
  for (;;) {
    GRAPNEL_TRY(Sample sample, read_sample(source, size));
    GRAPNEL_CHECK(check_text(source, sample, /*nul_bytes_allowed=*/false));
    if (sample.whole_file || size >= limits::kRecordBytes ||
        !cut_sample(sample, quote, sample.bytes.size()).empty())
      return sample;
    size = std::min(size * 8, limits::kRecordBytes);
  }
}

Error old_line_ends(const Source& source) {
  return Error{ErrorKind::data, source.path + ": lines end with CR alone, as on old Macintoshes",
               "convert the file: tr '\\r' '\\n'"};
}

/// No records at all: the columns must have been declared.
Status describe_empty(const TableRequest& request, Source& source) {
  if (!request.columns) {
    return Error{ErrorKind::data, source.path + " has no records, so no columns can be found in it",
                 "declare them: csv('" + source.path + "', columns => 'a BIGINT, b VARCHAR')"};
  }
  source.layout.columns = *request.columns;
  source.layout.dialect.header = request.header.value_or(false);
  source.layout.dialect.delimiter = request.delimiter.value_or(',');
  source.layout.dialect.quote = request.quote.value_or('"');
  return ok_status();
}

Status describe_csv(const TableRequest& request, Source& source) {
  GRAPNEL_TRY(const Sample sample, csv_sample(source, request.quote.value_or('"')));
  source.data_begin = sample.text_begin;
  const std::string_view text = sample.bytes;
  if (text.find('\n') == std::string_view::npos && text.find('\r') < text.size() - 1)
    return old_line_ends(source);
  if (sample.whole_file && cut_sample(sample, '\0', text.size()).empty())
    return describe_empty(request, source);
  size_t field_count = 0;
  GRAPNEL_TRY(source.layout.dialect, sniff_dialect(request, source, sample, &field_count));
  return sniff_columns(request, sample, field_count, source);
}

Status describe_lines(Source& source) {
  GRAPNEL_TRY(Sample sample, read_sample(source, kProbeBytes));
  GRAPNEL_CHECK(check_text(source, sample, /*nul_bytes_allowed=*/true));
  source.data_begin = sample.text_begin;
  source.layout.columns = {{"line", op::Type::of(op::TypeKind::varchar)},
                           {"line_offset", op::Type::of(op::TypeKind::bigint)}};
  return ok_status();
}

Status describe_fixed(const TableRequest& request, Source& source) {
  source.layout.columns = *request.columns;
  GRAPNEL_CHECK(lay_out_fixed(source.layout));
  GRAPNEL_CHECK(read_sample(source, kProbeBytes));
  const uint64_t rest = source.data_end % source.layout.record_bytes;
  if (rest == 0) return ok_status();
  return Error{ErrorKind::data,
               source.path + " has " + std::to_string(source.data_end) +
                   " bytes; with records of " + std::to_string(source.layout.record_bytes) +
                   " bytes, " + std::to_string(rest) + " are left over at the end",
               "do the declared columns fit? Records are packed, without padding between fields"};
}

/// The file alone, here or elsewhere.
Result<std::shared_ptr<Source>> open_undescribed(const std::string& path,
                                                 const OpenOptions& options) {
  auto source = std::make_shared<Source>();
  source->path = path;
  if (options.remote) {
    GRAPNEL_TRY(source->remote, options.remote(path));
    source->identity = source->remote->identity();
  } else {
    GRAPNEL_TRY(OpenFile file, open_regular_file(path, options));
    if (options.opened) GRAPNEL_CHECK(options.opened(file.fd.get()));
    source->file = std::move(file.fd);
    source->identity = file.identity;
  }
  source->data_end = source->identity.size;
  return source;
}

}  // namespace

Result<std::shared_ptr<const Source>> open_bytes(const std::string& path,
                                                 const OpenOptions& options) {
  GRAPNEL_TRY(auto source, open_undescribed(path, options));
  return std::shared_ptr<const Source>(std::move(source));
}

Result<std::shared_ptr<const Source>> open_source(const TableRequest& request,
                                                  const OpenOptions& options) {
  GRAPNEL_TRY(const Format format, format_of(request));
  GRAPNEL_CHECK(check_options(request, format));
  GRAPNEL_TRY(const auto source, open_undescribed(request.path, options));
  source->layout.format = format;
  Status described = ok_status();
  switch (format) {
    case Format::csv:
      described = describe_csv(request, *source);
      break;
    case Format::lines:
      described = describe_lines(*source);
      break;
    case Format::fixed:
      described = describe_fixed(request, *source);
      break;
  }
  GRAPNEL_CHECK(std::move(described));
  return std::shared_ptr<const Source>(source);
}

}  // namespace grapnel::source
