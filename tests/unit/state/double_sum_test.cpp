#include "state/double_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/int128.h"

namespace grapnel::state {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kDenormal = std::numeric_limits<double>::denorm_min();

struct Sum {
  std::array<uint64_t, kDoubleSumWords> words{};
  void add(double value) { double_sum_add(words.data(), value); }
  void merge(const Sum& other) { double_sum_merge(words.data(), other.words.data()); }
  [[nodiscard]] double value() const { return double_sum_finish(words.data()); }
};

double sum_of(const std::vector<double>& values) {
  Sum sum;
  for (double value : values) sum.add(value);
  return sum.value();
}

TEST(DoubleSum, LosesNothing) {
  EXPECT_EQ(sum_of({}), 0.0);
  EXPECT_EQ(sum_of({1e308, 1.0, -1e308}), 1.0);
  EXPECT_EQ(sum_of({1e16, 1.0, 1.0, -1e16}), 2.0);
  EXPECT_EQ(sum_of({0.1, 0.2, -0.3}), 0x1p-55);  // the true sum of those three doubles
  EXPECT_EQ(sum_of({kMax, kMax, -kMax}), kMax);
  EXPECT_EQ(sum_of({kDenormal, kDenormal}), 2 * kDenormal);
  EXPECT_EQ(sum_of({kMax, kDenormal, -kMax}), kDenormal);
  EXPECT_EQ(sum_of({-kDenormal, kMax, -kMax}), -kDenormal);
  EXPECT_FALSE(std::signbit(sum_of({-0.0})));
}

TEST(DoubleSum, RoundsOnceToNearestEven) {
  EXPECT_EQ(sum_of({0x1p53, 1.0}), 0x1p53);          // tie, even below
  EXPECT_EQ(sum_of({0x1p53 + 2, 1.0}), 0x1p53 + 4);  // tie, even above
  EXPECT_EQ(sum_of({0x1p53, 1.0, 0x1p-1000}), 0x1p53 + 2);
  EXPECT_EQ(sum_of({0x1p53, 1.0, -0x1p-1000}), 0x1p53);
  EXPECT_EQ(sum_of({-0x1p53, -1.0, -kDenormal}), -0x1p53 - 2);
}

TEST(DoubleSum, OverflowsOnlyIfTheTrueSumDoes) {
  EXPECT_EQ(sum_of({kMax, kMax}), kInfinity);
  EXPECT_EQ(sum_of({-kMax, -kMax}), -kInfinity);
  EXPECT_EQ(sum_of({kMax, 0x1p969}), kMax);       // less than half a unit
  EXPECT_EQ(sum_of({kMax, 0x1p970}), kInfinity);  // half a unit: rounds to 2^1024
}

TEST(DoubleSum, NanAndInfinities) {
  EXPECT_EQ(sum_of({1.0, kInfinity}), kInfinity);
  EXPECT_EQ(sum_of({-kInfinity, kMax, kMax}), -kInfinity);
  EXPECT_TRUE(std::isnan(sum_of({kInfinity, -kInfinity})));
  EXPECT_TRUE(std::isnan(sum_of({std::nan(""), 1.0})));
  Sum plus;
  plus.add(kInfinity);
  Sum minus;
  minus.add(-kInfinity);
  plus.merge(minus);
  EXPECT_TRUE(std::isnan(plus.value()));
}

TEST(DoubleSum, ManyEqualValuesCarry) {
  Sum sum;
  for (int i = 0; i < 1'000'000; i++) sum.add(kMax);
  for (int i = 0; i < 999'999; i++) sum.add(-kMax);
  EXPECT_EQ(sum.value(), kMax);
  Sum tenths;
  for (int i = 0; i < 1 << 20; i++) tenths.add(0.1);
  EXPECT_EQ(tenths.value(), std::ldexp(0.1, 20));
}

/// Numbers of a narrow range of exponents, whose true sum 128 bits can hold.
TEST(DoubleSum, AgreesWithIntegerArithmetic) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; round++) {
    Int128 expected = 0;  // in units of 2^-40
    Sum sum;
    for (int i = 0; i < 100; i++) {
      const auto mantissa = static_cast<int64_t>(random()) >> 12;
      const int shift = static_cast<int>(random() % 40);
      expected += Int128{mantissa} << shift;
      sum.add(std::ldexp(static_cast<double>(mantissa), shift - 40));
    }
    // The compiler's conversion rounds to nearest even.
    EXPECT_EQ(sum.value(), std::ldexp(static_cast<double>(expected), -40));
  }
}

TEST(DoubleSum, DoesNotDependOnOrderOrMerges) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<double> values;
  while (values.size() < 20'000) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) values.push_back(value);
  }
  const double expected = sum_of(values);
  for (int round = 0; round < 5; round++) {
    std::shuffle(values.begin(), values.end(), random);
    std::array<Sum, 7> parts;
    for (double value : values) parts[random() % parts.size()].add(value);
    std::shuffle(parts.begin(), parts.end(), random);
    for (size_t i = 1; i < parts.size(); i++) parts[0].merge(parts[i]);
    EXPECT_EQ(parts[0].value(), expected);
  }
}

}  // namespace
}  // namespace grapnel::state
