// Does a piece from the middle of a quoted csv file begin inside quotes?
#include "source/source.h"

namespace grapnel::source {
namespace {

constexpr size_t kGuessBytes = 64 << 10;
constexpr int kDecisive = 24;  ///< lead in points that ends the search

/// Reads the bytes under one assumption about the state at the first byte, and keeps score: places
/// where quotes stand as they should and records of the right number of fields speak for the
/// assumption, others against it.
class Assumption {
 public:
  Assumption(const Layout& layout, QuoteState start)
      : quote_(layout.dialect.quote),
        delimiter_(layout.dialect.delimiter),
        delimiters_wanted_(layout.columns.size() - (layout.dialect.trailing_delimiter ? 0 : 1)),
        inside_(start == QuoteState::inside) {}

  void take(std::string_view data, size_t at) {
    const char byte = data[at];
    if (byte == quote_) {
      judge_quote(data, at);
      inside_ = !inside_;
    } else if (!inside_ && byte == delimiter_) {
      ++delimiters_;
    } else if (!inside_ && byte == '\n') {
      end_record();
    }
  }

  [[nodiscard]] int score() const { return score_; }

 private:
  /// A quote that opens follows a delimiter or line end; one that closes is followed by one. Two
  /// in a row are a doubled quote or an empty field: they speak for nothing.
  void judge_quote(std::string_view data, size_t at) {
    if (inside_) {
      if (at + 1 == data.size() || data[at + 1] == quote_) return;
      const char next = data[at + 1];
      score_ += next == delimiter_ || next == '\n' || next == '\r' ? 1 : -2;
    } else {
      if (at == 0 || data[at - 1] == quote_) return;
      const char previous = data[at - 1];
      score_ += previous == delimiter_ || previous == '\n' ? 1 : -2;
    }
  }

  void end_record() {
    // The first record began before the data.
    if (counting_ && !(delimiters_ == 0 && delimiters_wanted_ > 0))
      score_ += delimiters_ == delimiters_wanted_ ? 1 : -2;
    else if (counting_)
      score_ -= 1;  // a blank line, or a line of free text
    counting_ = true;
    delimiters_ = 0;
  }

  const char quote_;
  const char delimiter_;
  const size_t delimiters_wanted_;
  bool inside_;
  bool counting_ = false;
  size_t delimiters_ = 0;
  int score_ = 0;
};

}  // namespace

QuoteState guess_quote_state(const Layout& layout, std::string_view data) {
  if (layout.format != Format::csv || layout.dialect.quote == '\0') return QuoteState::outside;
  data = data.substr(0, kGuessBytes);
  Assumption outside(layout, QuoteState::outside);
  Assumption inside(layout, QuoteState::inside);
  for (size_t at = 0; at < data.size(); ++at) {
    outside.take(data, at);
    inside.take(data, at);
    const int lead = outside.score() - inside.score();
    if (lead >= kDecisive) return QuoteState::outside;
    if (lead <= -kDecisive) return QuoteState::inside;
  }
  return inside.score() > outside.score() ? QuoteState::inside : QuoteState::outside;
}

}  // namespace grapnel::source
