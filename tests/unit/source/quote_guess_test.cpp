// The guess must be right nearly always on real data; the scan catches the rest.
#include <random>

#include "source_test.h"

namespace grapnel::source {
namespace {

Layout layout_of(size_t columns) {
  Layout layout;
  for (size_t i = 0; i < columns; ++i)
    layout.columns.push_back({"c" + std::to_string(i), kVarchar});
  return layout;
}

struct Score {
  size_t right = 0;
  size_t wrong = 0;
};

/// Guesses at every `step`-th offset of `text` and compares with the count of quotes.
Score score(const Layout& layout, std::string_view text, size_t step) {
  Score score;
  bool inside = false;
  for (size_t at = 0; at + 4096 < text.size(); ++at) {
    if (at % step == 0) {
      const bool guess = guess_quote_state(layout, text.substr(at)) == QuoteState::inside;
      ++(guess == inside ? score.right : score.wrong);
    }
    inside ^= text[at] == layout.dialect.quote;
  }
  return score;
}

std::string words(std::mt19937& random, size_t count, std::string_view separators) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text.push_back(separators[random() % separators.size()]);
    text.append(1 + random() % 9, static_cast<char>('a' + random() % 26));
  }
  return text;
}

TEST(QuoteGuess, OneQuotedCommentPerRecord) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < 100'000)
    text +=
        std::to_string(random() % 100000) + ",1996-03-13,N,\"" + words(random, 6, "  ,.") + "\"\n";
  const Score result = score(layout_of(4), text, 7);
  EXPECT_EQ(result.wrong, 0u) << result.right;
}

TEST(QuoteGuess, EveryFieldQuotedWithNewlinesAndDoubledQuotes) {
  std::mt19937 random(2);
  std::string text;
  while (text.size() < 100'000) {
    text += "\"" + words(random, 3, " ,\n") + "\",\"" + words(random, 4, " ,\n") + " \"\"" +
            words(random, 2, " ") + "\"\"\",\"" + std::to_string(random() % 100) + "\"\n";
  }
  const Score result = score(layout_of(3), text, 7);
  EXPECT_LE(result.wrong * 100, result.right) << result.wrong << " wrong, " << result.right;
}

TEST(QuoteGuess, LongTextsInside) {
  std::mt19937 random(3);
  std::string text;
  while (text.size() < 400'000)
    text += std::to_string(random() % 1000) + ",\"" + words(random, 400, "   ,\n") + "\",x,y\n";
  const Score result = score(layout_of(4), text, 101);
  EXPECT_LE(result.wrong * 100, result.right) << result.wrong << " wrong, " << result.right;
}

TEST(QuoteGuess, WithoutQuotesItIsOutside) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1,2,3\n";
  EXPECT_EQ(guess_quote_state(layout_of(3), text), QuoteState::outside);
  EXPECT_EQ(guess_quote_state(layout_of(3), ""), QuoteState::outside);
  // Even where the table was described wrongly there is nothing that speaks for "inside".
  Layout layout = layout_of(3);
  layout.dialect.quote = '\0';
  EXPECT_EQ(guess_quote_state(layout, "a\",b\n"), QuoteState::outside);
}

TEST(QuoteGuess, TrailingDelimiter) {
  std::mt19937 random(4);
  Layout layout = layout_of(2);
  layout.dialect.delimiter = '|';
  layout.dialect.trailing_delimiter = true;
  std::string text;
  while (text.size() < 50'000) text += "\"" + words(random, 5, " |\n") + "\"|1|\n";
  const Score result = score(layout, text, 7);
  EXPECT_EQ(result.wrong, 0u) << result.right;
}

}  // namespace
}  // namespace grapnel::source
