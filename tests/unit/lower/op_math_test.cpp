// The arithmetic of generated code in its BPF form (masks, no branches), run here on the CPU
// against 128-bit arithmetic. It may say "overflow" too often, never too seldom.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <random>

#define GR_BPF 1
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wattributes"  // always inlined without "inline": see op_abi.h
#endif
namespace bpf_form {
#include "lower/op_math.h"
}

namespace grapnel::lower_test {
namespace {

__extension__ typedef __int128 Wide;

/// Values near all the edges, and others of every size.
class Values {
 public:
  explicit Values(uint64_t seed) : random_(seed) {}
  int64_t next() {
    const uint64_t bits = random_();
    const auto shift = static_cast<unsigned>(random_() % 64);
    switch (random_() % 4) {
      case 0:
        return static_cast<int64_t>(bits >> shift);
      case 1:
        return static_cast<int64_t>(~(bits >> shift));
      case 2:
        return static_cast<int64_t>((uint64_t{1} << shift) + random_() % 3 - 1);
      default:
        return static_cast<int64_t>(0 - (uint64_t{1} << shift) + random_() % 3 - 1);
    }
  }

 private:
  std::mt19937_64 random_;
};

bool fits(Wide value) { return value >= INT64_MIN && value <= INT64_MAX; }

TEST(OpMathForBpf, AgreesWith128Bits) {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  Values values(seed);
  for (int i = 0; i < 1'000'000; i++) {
    const int64_t a = values.next(), b = values.next();
    bpf_form::gr_s64 result = 0;
    ASSERT_EQ(bpf_form::gr_add(a, b, &result), !fits(Wide{a} + b)) << a << " + " << b;
    if (fits(Wide{a} + b)) {
      ASSERT_EQ(result, a + b);
    }
    ASSERT_EQ(bpf_form::gr_subtract(a, b, &result), !fits(Wide{a} - b)) << a << " - " << b;
    if (fits(Wide{a} - b)) {
      ASSERT_EQ(result, a - b);
    }
    if (bpf_form::gr_multiply(a, b, &result) == 0) {
      ASSERT_EQ(Wide{result}, Wide{a} * b) << a << " * " << b;
    }
    constexpr uint64_t kMost = 999'999'999'999'999'999;  // DECIMAL(18)
    if (bpf_form::gr_multiply_within(a, b, 0 - kMost, 2 * kMost, &result) == 0) {
      ASSERT_EQ(Wide{result}, Wide{a} * b) << a << " * " << b;
      ASSERT_LE(result < 0 ? -result : result, int64_t{kMost}) << a << " * " << b;
    }
    ASSERT_EQ(bpf_form::gr_is_less(a, b), a < b) << a << " " << b;
    ASSERT_EQ(bpf_form::gr_is_equal(a, b), a == b);
    ASSERT_EQ(bpf_form::gr_is_equal(a, a), 1u);
    ASSERT_EQ(bpf_form::gr_is_nonzero(static_cast<uint64_t>(a)), a != 0);
    ASSERT_EQ(bpf_form::gr_is_below(static_cast<uint64_t>(a), static_cast<uint64_t>(b)),
              static_cast<uint64_t>(a) < static_cast<uint64_t>(b));
    ASSERT_EQ(bpf_form::gr_choose(1, a, b), a);
    ASSERT_EQ(bpf_form::gr_choose(0, a, b), b);
    if (b == 0) continue;
    const bool quotient_fits = fits(Wide{a} / b);
    ASSERT_EQ(bpf_form::gr_divide(a, b, &result), !quotient_fits) << a << " / " << b;
    if (quotient_fits) {
      ASSERT_EQ(Wide{result}, Wide{a} / b);
    }
    ASSERT_EQ(Wide{bpf_form::gr_modulo(a, b)}, Wide{a} % b) << a << " % " << b;
  }
}

TEST(OpMathForBpf, ProductsOfOrdinaryNumbersDoNotEscape) {
  bpf_form::gr_s64 result = 0;
  EXPECT_EQ(bpf_form::gr_multiply(10'494'950, 100, &result), 0u);
  EXPECT_EQ(bpf_form::gr_multiply(1'049'495'000, 108, &result), 0u);
  EXPECT_EQ(bpf_form::gr_multiply(-99'999'999'999, 10'000, &result), 0u);
  EXPECT_EQ(result, -999'999'999'990'000);
  EXPECT_NE(bpf_form::gr_multiply(INT64_MAX, 1, &result), 0u) << "allowed: the exact form does it";
  const uint64_t most = 999'999'999'999'999'999;
  EXPECT_EQ(bpf_form::gr_multiply_within(999'999'999, 999'999'999, 0 - most, 2 * most, &result),
            0u);
  EXPECT_EQ(bpf_form::gr_multiply_within(1'000'000'000, 999'999'999, 0 - most, 2 * most, &result),
            0u);
  EXPECT_NE(bpf_form::gr_multiply_within(1'000'000'000, 1'000'000'000, 0 - most, 2 * most, &result),
            0u);
}

TEST(OpMathForBpf, ScaleDownRoundsHalfAwayFromZero) {
  Values values(7);
  for (uint64_t power = 10; power <= 1'000'000'000; power *= 10) {
    for (int i = 0; i < 10'000; i++) {
      const int64_t a = values.next() / 4;
      const Wide half = static_cast<Wide>(power / 2);
      const Wide expected = (Wide{a} + (a < 0 ? -half : half)) / static_cast<Wide>(power);
      ASSERT_EQ(Wide{bpf_form::gr_scale_down(a, power)}, expected) << a << " / " << power;
    }
  }
}

TEST(OpMathForBpf, SumsCarry) {
  Values values(9);
  bpf_form::gr_u64 slot[3] = {}, wide[4] = {};
  Wide sum = 0;
  for (int i = 0; i < 200'000; i++) {
    const int64_t value = values.next();
    sum += value;
    bpf_form::gr_sum_add(slot, value);
    bpf_form::gr_sum_add_wide(wide, value);
    ASSERT_EQ(slot[0], static_cast<uint64_t>(sum));
    ASSERT_EQ(slot[1], static_cast<uint64_t>(sum >> 64));
    ASSERT_EQ(wide[0], slot[0]);
    ASSERT_EQ(wide[1], slot[1]);
    ASSERT_EQ(wide[3], sum < 0 ? ~uint64_t{0} : 0) << "the sign goes on in the third word";
  }
  EXPECT_EQ(slot[2], 0u) << "of the caller";
  EXPECT_EQ(wide[2], 0u);
}

TEST(OpMathForBpf, WideSumsPass128Bits) {
  // 2^127 - 1, plus 1: the third word takes the carry, no sign change.
  bpf_form::gr_u64 wide[4] = {~uint64_t{0}, ~uint64_t{0} >> 1, 0, 0};
  bpf_form::gr_sum_add_wide(wide, 1);
  EXPECT_EQ(wide[0], 0u);
  EXPECT_EQ(wide[1], uint64_t{1} << 63);
  EXPECT_EQ(wide[3], 0u);
  bpf_form::gr_sum_add_wide(wide, -1);
  EXPECT_EQ(wide[0], ~uint64_t{0});
  EXPECT_EQ(wide[1], ~uint64_t{0} >> 1);
  EXPECT_EQ(wide[3], 0u);
}

}  // namespace
}  // namespace grapnel::lower_test
