#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "watch/quote_proof.h"
#include "watch/ranges.h"

namespace grapnel::watch {
namespace {

TEST(RangeSet, AgainstABitPerPlace) {
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; round++) {
    RangeSet set;
    std::vector<bool> bits(100);
    for (int step = 0; step < 60; step++) {
      const uint64_t begin = random() % 100;
      const Range range{begin, std::min<uint64_t>(100, begin + random() % 20)};
      const bool add = random() % 3 != 0;
      add ? set.add(range) : set.remove(range);
      for (uint64_t at = range.begin; at < range.end; at++) bits[at] = add;
      std::vector<Range> expected;
      for (uint64_t at = 0; at < 100; at++) {
        if (!bits[at]) continue;
        if (expected.empty() || expected.back().end != at) expected.push_back({at, at});
        expected.back().end = at + 1;
      }
      ASSERT_EQ(set.list(), expected) << "seed " << seed;
      uint64_t length = 0;
      for (const Range& part : expected) length += part.end - part.begin;
      ASSERT_EQ(set.length(), length) << "seed " << seed;
    }
  }
}

TEST(QuoteProof, NeedsAQuoteThatCanBeOnlyOne) {
  using source::QuoteState;
  source::Dialect dialect;
  const auto prove = [&dialect](std::string_view text) { return prove_quote_state(dialect, text); };
  EXPECT_EQ(prove("1,2\n3,4\n"), std::nullopt);
  EXPECT_EQ(prove("1,\"x"), QuoteState::outside);   // followed by a letter: it opens
  EXPECT_EQ(prove("x\",1\n"), QuoteState::inside);  // after a letter: it closes
  EXPECT_EQ(prove("1,\",\",2"), std::nullopt);      // both ways
  EXPECT_EQ(prove("1,\",\",x\n2,\"y"), QuoteState::outside);
  EXPECT_EQ(prove("\"x"), std::nullopt);  // what is before it is not seen
  // Outside, no quote could stand before the b: doubled ones stand inside only.
  EXPECT_EQ(prove("a \"\"b"), QuoteState::inside);
}

}  // namespace
}  // namespace grapnel::watch
