// Any bytes as a csv file: nothing crashes, a file cut anywhere gives the same records, and what
// was sniffed can be read. The first bytes choose dialect, declared columns and the place of the
// cut.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "source/source.h"

namespace {

using namespace grapnel;
using namespace grapnel::source;

constexpr size_t kHeadBytes = 3;

void require(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "csv_fuzz: %s\n", what);
  abort();
}

Layout layout_from(uint8_t choice) {
  static constexpr char kDelimiters[] = {',', '|', ';', '\t'};
  static constexpr char kQuotes[] = {'"', '\'', '\0', '"'};
  Layout layout;
  layout.dialect.delimiter = kDelimiters[choice & 3];
  layout.dialect.quote = kQuotes[(choice >> 2) & 3];
  layout.dialect.trailing_delimiter = (choice & 16) != 0;
  layout.columns = {{"a", op::Type::of(op::TypeKind::bigint)},
                    {"b", op::Type::of(op::TypeKind::varchar)},
                    {"c", op::Type::decimal(18, 2), true},
                    {"d", op::Type::of(op::TypeKind::date)}};
  layout.columns.resize(1 + ((choice >> 5) & 3));
  return layout;
}

std::vector<size_t> starts_of(const Layout& layout, std::string_view text, size_t base) {
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size();) {
    const auto record = next_record(layout, text.substr(at), true);
    require(record.has_value(), "the end of the data must end a record");
    require(record->content_size <= record->consumed, "content within the record");
    starts.push_back(base + at);
    at += record->consumed;
  }
  return starts;
}

void check_cut(const Layout& layout, std::string_view text, size_t cut) {
  QuoteState state = QuoteState::outside;
  for (const char c : text.substr(0, cut))
    if (layout.dialect.quote != '\0' && c == layout.dialect.quote)
      state = state == QuoteState::inside ? QuoteState::outside : QuoteState::inside;
  const auto start = find_record_start(layout, text.substr(cut), state);
  const std::vector<size_t> all = starts_of(layout, text, 0);
  std::vector<size_t> behind;
  for (const size_t s : all)
    if (s > cut) behind.push_back(s);
  const std::vector<size_t> found =
      start ? starts_of(layout, text.substr(cut + *start), cut + *start) : std::vector<size_t>{};
  require(found == behind, "records behind a cut are those of one pass");
  (void)guess_quote_state(layout, text.substr(cut));
}

/// Reads every field of every record; errors are fine.
void read_all(const Source& source, std::string_view text, uint64_t base) {
  RecordReader reader(source);
  for (size_t at = 0; at < text.size();) {
    const auto record = next_record(source.layout, text.substr(at), true);
    if (!record) break;
    reader.set_record(text.substr(at, record->content_size), base + at);
    at += record->consumed;
    if (reader.is_blank()) continue;
    const bool sound = reader.check().ok();
    for (uint32_t i = 0; i < source.layout.columns.size(); ++i) {
      const auto value = reader.load(i);
      require(sound || !value.ok(), "no value from a record whose quotes are wrong");
    }
  }
}

void check_open(std::string_view text, uint8_t choice) {
  static const int file = memfd_create("csv_fuzz", MFD_CLOEXEC);
  require(file >= 0 && ftruncate(file, 0) == 0, "a file in memory");
  require(pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
          "written");
  TableRequest request;
  request.path = "/proc/self/fd/" + std::to_string(file);
  request.format = (choice & 128) != 0 ? Format::lines : Format::csv;
  const auto source = open_source(request, {});
  if (!source.ok()) {
    require(!source.error().message.empty(), "an error says what is wrong");
    return;
  }
  const Source& s = **source;
  require(s.data_begin <= s.data_end && s.data_end == text.size(), "data within the file");
  require(!s.layout.columns.empty() && !describe(s).empty(), "columns were found");
  read_all(s, text.substr(s.data_begin), s.data_begin);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeadBytes) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + kHeadBytes, size - kHeadBytes);
  Source source;
  source.path = "fuzz.csv";
  source.layout = layout_from(data[0]);
  source.data_end = text.size();
  read_all(source, text, 0);
  if (!text.empty()) check_cut(source.layout, text, (data[1] | data[2] << 8) % text.size());
  check_open(text, data[0]);
  return 0;
}
