// Where records end: by LF (outside quotes, in csv) or by size.
#include <cstring>

#include "source/source.h"

namespace grapnel::source {
namespace {

/// True if an odd number of quotes stands in `text`.
bool odd_quotes(std::string_view text, char quote) {
  bool odd = false;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    at = static_cast<const char*>(memchr(at, quote, static_cast<size_t>(end - at)));
    if (at == nullptr) break;
    odd = !odd;
    ++at;
  }
  return odd;
}

/// Position of the first LF that ends a record, npos if there is none; then `state` is the state
/// after the last byte.
size_t find_line_end(const Layout& layout, std::string_view data, QuoteState& state) {
  const char quote = layout.format == Format::csv ? layout.dialect.quote : '\0';
  if (quote == '\0') state = QuoteState::outside;
  size_t from = 0;
  for (;;) {
    const size_t newline = data.find('\n', from);
    if (quote != '\0' && odd_quotes(data.substr(from, newline - from), quote))
      state = state == QuoteState::inside ? QuoteState::outside : QuoteState::inside;
    if (newline == std::string_view::npos) return newline;
    if (state == QuoteState::outside) return newline;
    from = newline + 1;
  }
}

size_t size_without_cr(std::string_view content) {
  return content.size() - (!content.empty() && content.back() == '\r' ? 1 : 0);
}

}  // namespace

std::optional<RecordEnd> next_record(const Layout& layout, std::string_view data, bool last) {
  if (layout.format == Format::fixed) {
    if (data.size() < layout.record_bytes) return std::nullopt;
    return RecordEnd{layout.record_bytes, layout.record_bytes};
  }
  QuoteState state = QuoteState::outside;
  const size_t newline = find_line_end(layout, data, state);
  if (newline != std::string_view::npos)
    return RecordEnd{size_without_cr(data.substr(0, newline)), newline + 1};
  if (!last || data.empty()) return std::nullopt;
  return RecordEnd{size_without_cr(data), data.size()};
}

std::optional<size_t> find_record_start(const Layout& layout, std::string_view data,
                                        QuoteState state, QuoteState* state_at_end) {
  if (layout.format == Format::fixed) {
    if (state_at_end != nullptr) *state_at_end = QuoteState::outside;
    if (data.size() < layout.record_bytes) return std::nullopt;
    return layout.record_bytes;
  }
  const size_t newline = find_line_end(layout, data, state);
  if (newline != std::string_view::npos) return newline + 1;
  if (state_at_end != nullptr) *state_at_end = state;
  return std::nullopt;
}

}  // namespace grapnel::source
