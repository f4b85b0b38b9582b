#include "base/int128.h"

#include <gtest/gtest.h>

namespace grapnel {
namespace {

TEST(Int128, TextOfExtremes) {
  EXPECT_EQ(to_string(kInt128Max), "170141183460469231731687303715884105727");
  EXPECT_EQ(to_string(kInt128Min), "-170141183460469231731687303715884105728");
  EXPECT_EQ(to_string(0), "0");
}

TEST(Int128, TextWithScale) {
  EXPECT_EQ(to_string(12345, 2), "123.45");
  EXPECT_EQ(to_string(-5, 2), "-0.05");
  EXPECT_EQ(to_string(0, 3), "0.000");
  EXPECT_EQ(to_string(100, 2), "1.00");
  EXPECT_EQ(to_string(power_of_ten(38) - 1, 38), "0." + std::string(38, '9'));
}

TEST(Int128, ParsesWhatItPrints) {
  for (const Int128 value : {Int128{0}, Int128{-1}, Int128{42}, kInt128Max, kInt128Min}) {
    const auto parsed = parse_int128(to_string(value));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(*parsed == value);
  }
}

TEST(Int128, RefusesWhatIsNoInteger) {
  for (const char* text :
       {"", "-", "+", "1.0", " 1", "1 ", "--1", "0x1", "170141183460469231731687303715884105728",
        "-170141183460469231731687303715884105729"})
    EXPECT_FALSE(parse_int128(text).has_value()) << text;
}

TEST(Int128, CheckedArithmeticSeesOverflow) {
  EXPECT_FALSE(checked_add(kInt128Max, 1).has_value());
  EXPECT_FALSE(checked_subtract(kInt128Min, 1).has_value());
  EXPECT_FALSE(checked_multiply(kInt128Max, 2).has_value());
  EXPECT_TRUE(*checked_add(kInt128Max, -1) == kInt128Max - 1);
  EXPECT_TRUE(*checked_multiply(power_of_ten(19), power_of_ten(19)) == power_of_ten(38));
}

}  // namespace
}  // namespace grapnel
