// Does a piece of a quoted csv file begin inside quotes? Here with proof, not by a guess: nobody
// may ever see the bytes before it, which would show a guess wrong.
#pragma once

#include <optional>
#include <string_view>

#include "source/source.h"

namespace grapnel::watch {

/// The state at data[0], if the bytes admit only one: a quote stands where none may open a field,
/// or where none may close one. Proven for every file that has no misplaced quote; one that has is
/// an error of the query on the whole file anyway. Empty: both are possible.
std::optional<source::QuoteState> prove_quote_state(const source::Dialect& dialect,
                                                    std::string_view data);

/// True if the number of quotes in `data` is odd.
bool has_odd_quotes(std::string_view data, char quote);

inline source::QuoteState flipped(source::QuoteState state, bool flip) {
  if (!flip) return state;
  return state == source::QuoteState::inside ? source::QuoteState::outside
                                             : source::QuoteState::inside;
}

}  // namespace grapnel::watch
