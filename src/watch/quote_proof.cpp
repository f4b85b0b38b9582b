#include "watch/quote_proof.h"

#include <cstring>

namespace grapnel::watch {
namespace {

/// What may stand before a quote that opens a field, and behind one that closes it. A little more
/// than the exact rules permit (source/csv_fields.h): that can only cost a proof.
bool may_be_beside(const source::Dialect& dialect, char byte) {
  return byte == dialect.delimiter || byte == '\n' || byte == '\r' || byte == dialect.quote ||
         byte == ' ' || byte == '\t';
}

}  // namespace

std::optional<source::QuoteState> prove_quote_state(const source::Dialect& dialect,
                                                    std::string_view data) {
  bool odd_before = false;
  for (size_t at = data.find(dialect.quote); at != std::string_view::npos;
       at = data.find(dialect.quote, at + 1), odd_before = !odd_before) {
    if (at == 0 || at + 1 == data.size()) continue;
    const bool can_open = may_be_beside(dialect, data[at - 1]);
    const bool can_close = may_be_beside(dialect, data[at + 1]);
    if (can_open == can_close) continue;
    // Just before the quote; as many flips back as there were quotes.
    const auto state = can_open ? source::QuoteState::outside : source::QuoteState::inside;
    return flipped(state, odd_before);
  }
  return std::nullopt;
}

bool has_odd_quotes(std::string_view data, char quote) {
  bool odd = false;
  for (size_t at = data.find(quote); at != std::string_view::npos; at = data.find(quote, at + 1)) {
    odd = !odd;
  }
  return odd;
}

}  // namespace grapnel::watch
