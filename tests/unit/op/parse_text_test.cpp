// The spellings that fields may have. Expected values are what DuckDB 2.0's read_csv gives, where
// the test does not say otherwise.
#include <gtest/gtest.h>

#include "op/evaluate.h"

namespace grapnel::op {
namespace {

constexpr Type kBigint = Type::of(TypeKind::bigint);
constexpr Type kDouble = Type::of(TypeKind::real);
constexpr Type kDate = Type::of(TypeKind::date);
constexpr Type kBoolean = Type::of(TypeKind::boolean);

/// The value's text, or "error".
std::string parsed(std::string_view text, Type type) {
  const auto value = parse_text(text, type);
  return value ? to_text(*value, type) : "error";
}

struct Case {
  const char* text;
  const char* expected;
};

TEST(ParseText, Integers) {
  const Case cases[] = {
      {" 12 ", "12"},
      {"+12", "12"},
      {"-12", "-12"},
      {"- 12", "error"},
      {"5.", "5"},
      {".5", "1"},
      {"-.5", "-1"},
      {"1e2", "100"},
      {"1.5e1", "15"},
      {"15e-1", "2"},
      {"1.5", "2"},
      {"2.5", "3"},
      {"-2.5", "-3"},
      {"2.49999", "2"},
      {"--1", "error"},
      {"-", "error"},
      {"", "error"},
      {"+", "error"},
      {"00012", "12"},
      {"\t12", "12"},
      {"12\t", "12"},
      {"1e", "error"},
      {"1e+2", "100"},
      {"1E2", "100"},
      {"0.5", "1"},
      {"-0.5", "-1"},
      {"-0", "0"},
      {"1,5", "error"},
      {".", "error"},
      {" ", "error"},
      {"+-1", "error"},
      {"1.", "1"},
      {"1e18", "1000000000000000000"},
      {"1e19", "error"},
      {"0e999999999999", "0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775808", "error"},
      {"1e-999999999999", "0"},
      {"9223372036854775807.4", "9223372036854775807"},
      {"9223372036854775807.5", "error"},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.text, kBigint), c.expected) << c.text;
}

TEST(ParseText, DigitSeparatorsAndPrefixesAreNoNumbers) {
  // DuckDB takes them as numbers; in a file they are text or a mistake.
  for (const char* text : {"1_000", "0x10", "0b11"}) EXPECT_EQ(parsed(text, kBigint), "error");
}

TEST(ParseText, NarrowIntegersRoundBeforeTheRangeCheck) {
  const Type tinyint = Type::of(TypeKind::tinyint);
  const Type utinyint = Type::of(TypeKind::utinyint);
  EXPECT_EQ(parsed("127.4", tinyint), "127");
  EXPECT_EQ(parsed("127.5", tinyint), "error");
  EXPECT_EQ(parsed("-128.4", tinyint), "-128");
  EXPECT_EQ(parsed("-128.5", tinyint), "error");
  EXPECT_EQ(parsed("255.4", utinyint), "255");
  EXPECT_EQ(parsed("255.5", utinyint), "error");
  EXPECT_EQ(parsed("-0", utinyint), "0");
  EXPECT_EQ(parsed("-0.4", utinyint), "error");
  EXPECT_EQ(parsed("-1", utinyint), "error");
}

TEST(ParseText, HugeIntegers) {
  const Type hugeint = Type::of(TypeKind::hugeint);
  const char* greatest = "170141183460469231731687303715884105727";
  const char* least = "-170141183460469231731687303715884105728";
  EXPECT_EQ(parsed(greatest, hugeint), greatest);
  EXPECT_EQ(parsed(least, hugeint), least);
  EXPECT_EQ(parsed("170141183460469231731687303715884105728", hugeint), "error");
  EXPECT_EQ(parsed("1e39", hugeint), "error");
  EXPECT_EQ(parsed("2.55e1", hugeint), "26");
  const Type ubigint = Type::of(TypeKind::ubigint);
  EXPECT_EQ(parsed("18446744073709551615", ubigint), "18446744073709551615");
  EXPECT_EQ(parsed("18446744073709551616", ubigint), "error");
}

TEST(ParseText, DecimalsRoundHalfAwayFromZero) {
  const Type type = Type::decimal(6, 2);
  const Case cases[] = {
      {" 12 ", "12.00"},
      {"5.", "5.00"},
      {".5", "0.50"},
      {"-.5", "-0.50"},
      {"1e2", "100.00"},
      {"15e-1", "1.50"},
      {"2.49999", "2.50"},
      {"-0", "0.00"},
      {"9999.994", "9999.99"},
      {"9999.995", "error"},
      {"-9999.995", "error"},
      {"10000", "error"},
      {"123.456e1", "1234.56"},
      {"0.001", "0.00"},
      {"0.005", "0.01"},
      {"-0.005", "-0.01"},
      {"5e-3", "0.01"},
      {"4e-3", "0.00"},
      {".", "error"},
      {"1.2.3", "error"},
      {"1.23 4", "error"},
      {"0.0000000000000000000000000000000000000000000001", "0.00"},
      {"0000000000000000000000000000000000000000000000000000000001.5", "1.50"},
      // DuckDB looks at the digits in front of the exponent and refuses this one.
      {"123456e-3", "123.46"},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.text, type), c.expected) << c.text;
  EXPECT_EQ(parsed("1234567890123456789012345678.0123456789", Type::decimal(38, 10)),
            "1234567890123456789012345678.0123456789");
  EXPECT_EQ(parsed("1e28", Type::decimal(38, 10)), "error");
  EXPECT_EQ(parsed("0.00000000005", Type::decimal(38, 10)), "0.0000000001");
}

TEST(ParseText, Doubles) {
  const Case cases[] = {
      {"1e400", "inf"},       {"-1e400", "-inf"},      {"1e-400", "0.0"}, {"-1e-400", "-0.0"},
      {"inf", "inf"},         {"-inf", "-inf"},        {"Inf", "inf"},    {"+inf", "inf"},
      {"INFINITY", "inf"},    {"NaN", "nan"},          {"+1.5", "1.5"},   {" 1.5 ", "1.5"},
      {"1.5e", "error"},      {"0x10", "error"},       {"1.", "1.0"},     {".5", "0.5"},
      {".", "error"},         {"1e5", "100000.0"},     {"-0", "-0.0"},    {"1,5", "error"},
      {"4.9e-324", "5e-324"}, {"1e-324", "0.0"},       {"0.1", "0.1"},    {"+-1", "error"},
      {"", "error"},          {"0.000000e999", "0.0"}, {"1__0", "error"}, {"++1", "error"},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.text, kDouble), c.expected) << c.text;
  EXPECT_EQ(parsed("0." + std::string(400, '0') + "1", kDouble), "0.0");
  EXPECT_EQ(parsed("1" + std::string(400, '0'), kDouble), "inf");
}

TEST(ParseText, Booleans) {
  for (const char* text : {"t", "T", "true", "TRUE", "tRuE", "y", "yes", "YES", "1"})
    EXPECT_EQ(parsed(text, kBoolean), "true") << text;
  for (const char* text : {"f", "F", "false", "n", "no", "NO", "0"})
    EXPECT_EQ(parsed(text, kBoolean), "false") << text;
  for (const char* text : {"on", "off", " true", "true ", "2", "01", "", "tr"})
    EXPECT_EQ(parsed(text, kBoolean), "error") << text;
}

TEST(ParseText, Dates) {
  const Case cases[] = {
      {"1994-01-02", "1994-01-02"},
      {"1994-1-2", "1994-01-02"},
      {" 1994-01-02 ", "1994-01-02"},
      {"1994/01/02", "1994-01-02"},
      {"1994 01 02", "1994-01-02"},
      {"1994\\01\\02", "1994-01-02"},
      {"1994-01/02", "error"},
      {"1994-02-30", "error"},
      {"1900-02-29", "error"},
      {"2000-02-29", "2000-02-29"},
      {"0001-01-01", "0001-01-01"},
      {"0000-01-01", "0001-01-01 (BC)"},
      {"-0001-01-01", "0002-01-01 (BC)"},
      {"0044-03-15 (BC)", "0044-03-15 (BC)"},
      {"10000-01-01", "10000-01-01"},
      {"94-01-02", "0094-01-02"},
      {"1994-001-02", "error"},
      {"1994-01-002", "error"},
      {"1994-13-01", "error"},
      {"1994-00-01", "error"},
      {"1994-01-00", "error"},
      {"19940102", "error"},
      {"01/02/1994", "error"},
      {"+1994-01-01", "error"},
      {"5881580-07-10", "5881580-07-10"},
      {"5881580-07-11", "error"},
      {"5877642-06-25 (BC)", "5877642-06-25 (BC)"},
      {"5877642-06-24 (BC)", "error"},
      {"", "error"},
      {"1994", "error"},
      {"1994-01", "error"},
      // DuckDB drops a time behind the date; infinity and epoch are no days of a calendar.
      {"1994-01-02 12:13:14", "error"},
      {"infinity", "error"},
      {"epoch", "error"},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.text, kDate), c.expected) << c.text;
}

TEST(ParseText, VarcharIsTheTextItself) {
  EXPECT_EQ(parsed(" x ", Type::of(TypeKind::varchar)), " x ");
}

}  // namespace
}  // namespace grapnel::op
