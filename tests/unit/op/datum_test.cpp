#include "op/datum.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace grapnel::op {
namespace {

constexpr Type kDouble = Type::of(TypeKind::real);
constexpr Type kDate = Type::of(TypeKind::date);

TEST(Datum, TextOfDoublesIsDuckDbs) {
  const std::pair<double, const char*> cases[] = {
      {1.0, "1.0"},
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {0.1, "0.1"},
      {1e15, "1000000000000000.0"},
      {1e16, "1e+16"},
      {1.5e300, "1.5e+300"},
      {123456789012345680.0, "1.2345678901234568e+17"},
      {1e-5, "1e-05"},
      {0.0001, "0.0001"},
      {5e-324, "5e-324"},
      {std::nan(""), "nan"},
      {-std::nan(""), "nan"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {-0.00012345678901234567, "-0.00012345678901234567"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(to_text(Datum::of_real(value), kDouble), text);
}

TEST(Datum, DoublesReadBackFromTheirText) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 10000; i++) {
    const auto value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    EXPECT_EQ(std::strtod(to_text(Datum::of_real(value), kDouble).c_str(), nullptr), value);
  }
}

TEST(Datum, TextOfOtherTypes) {
  EXPECT_EQ(to_text(Datum::of_integer(-12345), Type::decimal(15, 2)), "-123.45");
  EXPECT_EQ(to_text(Datum::of_integer(0), Type::decimal(15, 2)), "0.00");
  EXPECT_EQ(to_text(Datum::of_bool(true), Type::of(TypeKind::boolean)), "true");
  EXPECT_EQ(to_text(Datum::of_integer(0), kDate), "1970-01-01");
  EXPECT_EQ(to_text(Datum::of_integer(-719529), kDate), "0002-12-31 (BC)");
}

TEST(Datum, CompareOrdersNanLast) {
  const auto real = [](double v) { return Datum::of_real(v); };
  EXPECT_EQ(compare(real(std::nan("")), real(1e308), kDouble), 1);
  EXPECT_EQ(compare(real(1e308), real(std::nan("")), kDouble), -1);
  EXPECT_EQ(compare(real(std::nan("")), real(std::nan("")), kDouble), 0);
  EXPECT_EQ(compare(real(0.0), real(-0.0), kDouble), 0);
  const Type varchar = Type::of(TypeKind::varchar);
  EXPECT_EQ(compare(Datum::of_text("z"), Datum::of_text("\xC3\xA9"), varchar), -1);
  EXPECT_EQ(compare(Datum::of_text("ab"), Datum::of_text("a"), varchar), 1);
}

TEST(Datum, CivilDatesRoundTrip) {
  EXPECT_EQ(days_from_civil(1970, 1, 1), 0);
  EXPECT_EQ(days_from_civil(2000, 3, 1), 11017);
  EXPECT_EQ(days_from_civil(1994, 1, 1), 8766);
  for (int64_t days = -1'000'000; days <= 1'000'000; days += 37) {
    const CivilDate date = civil_from_days(days);
    EXPECT_EQ(days_from_civil(date.year, date.month, date.day), days);
  }
}

TEST(Type, NamesAndRanges) {
  EXPECT_EQ(Type::decimal(15, 2).to_string(), "DECIMAL(15,2)");
  EXPECT_TRUE(Type::decimal(18, 0).fits_int64());
  EXPECT_FALSE(Type::decimal(19, 0).fits_int64());
  EXPECT_FALSE(Type::of(TypeKind::ubigint).fits_int64());
  EXPECT_TRUE(range_of(Type::decimal(38, 5)).greatest == power_of_ten(38) - 1);
  EXPECT_TRUE(range_of(Type::of(TypeKind::utinyint)).contains(255));
  EXPECT_FALSE(range_of(Type::of(TypeKind::utinyint)).contains(-1));
}

}  // namespace
}  // namespace grapnel::op
