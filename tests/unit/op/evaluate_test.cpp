#include "op/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <iterator>
#include <random>

namespace grapnel::op {
namespace {

using F = Function;

constexpr Type kBoolean = Type::of(TypeKind::boolean);
constexpr Type kTinyint = Type::of(TypeKind::tinyint);
constexpr Type kUtinyint = Type::of(TypeKind::utinyint);
constexpr Type kInteger = Type::of(TypeKind::integer);
constexpr Type kBigint = Type::of(TypeKind::bigint);
constexpr Type kHugeint = Type::of(TypeKind::hugeint);
constexpr Type kDouble = Type::of(TypeKind::real);
constexpr Type kVarchar = Type::of(TypeKind::varchar);
constexpr Type kDate = Type::of(TypeKind::date);

/// Columns of a record; an index beyond them fails, like a field that does not parse.
class Record : public ValueSource {
 public:
  explicit Record(std::vector<Datum> values = {}) : values_(std::move(values)) {}
  Result<Datum> load(uint32_t index) override {
    if (index < values_.size()) return values_[index];
    Error error;
    error.kind = ErrorKind::data;
    error.message = "field " + std::to_string(index) + " does not parse";
    return error;
  }

 private:
  std::vector<Datum> values_;
};

ExprPtr integer(Int128 value, Type type = kInteger) {
  return make_constant(Datum::of_integer(value), type);
}
ExprPtr real(double value) { return make_constant(Datum::of_real(value), kDouble); }
ExprPtr text(std::string_view value) { return make_constant(Datum::of_text(value), kVarchar); }
ExprPtr boolean(bool value) { return make_constant(Datum::of_bool(value), kBoolean); }
ExprPtr null(Type type) { return make_constant(Datum::null(), type); }
ExprPtr call(F function, Type type, std::vector<ExprPtr> arguments) {
  return make_call(function, type, std::move(arguments));
}
ExprPtr cast(ExprPtr expr, Type type) { return call(F::cast, type, {std::move(expr)}); }
/// Fails when evaluated.
ExprPtr failing() { return make_column(99, kBoolean); }

/// The value as text, "NULL", or "error: " and the message.
std::string value_of(const ExprPtr& expr) {
  Record record;
  const auto value = evaluate(*expr, record);
  if (!value) return "error: " + value.error().message;
  return value->is_null ? "NULL" : to_text(*value, expr->type);
}

bool fails(const ExprPtr& expr) { return value_of(expr).starts_with("error: "); }

TEST(Evaluate, IntegerArithmeticIsChecked) {
  EXPECT_EQ(value_of(call(F::add, kTinyint, {integer(100, kTinyint), integer(27, kTinyint)})),
            "127");
  EXPECT_EQ(value_of(call(F::add, kTinyint, {integer(127, kTinyint), integer(1, kTinyint)})),
            "error: out of range: overflow in addition of TINYINT (127 + 1)");
  EXPECT_TRUE(fails(call(F::subtract, kUtinyint, {integer(0, kUtinyint), integer(1, kUtinyint)})));
  EXPECT_TRUE(fails(call(F::add, kHugeint, {integer(kInt128Max, kHugeint), integer(1, kHugeint)})));
  EXPECT_TRUE(
      fails(call(F::multiply, kBigint, {integer(INT64_MAX, kBigint), integer(2, kBigint)})));
  EXPECT_TRUE(fails(call(F::negate, kTinyint, {integer(-128, kTinyint)})));
  EXPECT_TRUE(fails(call(F::negate, kUtinyint, {integer(1, kUtinyint)})));
  EXPECT_TRUE(fails(call(F::negate, kHugeint, {integer(kInt128Min, kHugeint)})));
  EXPECT_EQ(value_of(call(F::negate, kTinyint, {integer(-127, kTinyint)})), "127");
}

TEST(Evaluate, DivisionRoundsTowardZeroAndFailsByZero) {
  const auto divide = [](Int128 a, Int128 b, Type type = kInteger) {
    return value_of(call(F::integer_divide, type, {integer(a, type), integer(b, type)}));
  };
  const auto modulo = [](Int128 a, Int128 b, Type type = kInteger) {
    return value_of(call(F::modulo, type, {integer(a, type), integer(b, type)}));
  };
  EXPECT_EQ(divide(-7, 2), "-3");
  EXPECT_EQ(modulo(-7, 3), "-1");
  EXPECT_EQ(modulo(7, -3), "1");
  EXPECT_EQ(divide(7, 0), "error: division by zero (7 // 0)");
  EXPECT_EQ(modulo(7, 0), "error: division by zero (7 % 0)");
  EXPECT_TRUE(divide(-128, -1, kTinyint).starts_with("error: out of range"));
  EXPECT_TRUE(modulo(-128, -1, kTinyint).starts_with("error: out of range"));
  EXPECT_TRUE(divide(kInt128Min, -1, kHugeint).starts_with("error: out of range"));
  EXPECT_EQ(value_of(call(F::integer_divide, kInteger, {null(kInteger), integer(0)})), "NULL");
  EXPECT_EQ(value_of(call(F::divide, kDouble, {real(1), real(0)})), "inf");
  EXPECT_EQ(value_of(call(F::divide, kDouble, {real(0), real(0)})), "nan");
  EXPECT_EQ(value_of(call(F::modulo, kDouble, {real(5.5), real(2)})), "1.5");
}

TEST(Evaluate, DecimalArithmeticKeepsScales) {
  const Type price = Type::decimal(15, 2);
  const Type product = Type::decimal(18, 4);
  EXPECT_EQ(value_of(call(F::multiply, product, {integer(12345, price), integer(-6, price)})),
            "-7.4070");
  const Type widest = Type::decimal(38, 0);
  EXPECT_TRUE(
      fails(call(F::add, widest, {integer(power_of_ten(38) - 1, widest), integer(1, widest)})));
  const Type tenth = Type::decimal(2, 1);
  EXPECT_EQ(value_of(call(F::modulo, tenth, {integer(-15, tenth), integer(4, tenth)})), "-0.3");
}

TEST(Evaluate, DatesMoveByDays) {
  const ExprPtr day = integer(days_from_civil(1994, 1, 1), kDate);
  EXPECT_EQ(value_of(call(F::add, kDate, {day, integer(1)})), "1994-01-02");
  EXPECT_EQ(value_of(call(F::subtract, kDate, {day, integer(1)})), "1993-12-31");
  EXPECT_EQ(
      value_of(call(F::subtract, kBigint, {day, integer(days_from_civil(1993, 1, 1), kDate)})),
      "365");
  EXPECT_TRUE(fails(call(F::add, kDate, {day, integer(INT32_MAX)})));
}

TEST(Evaluate, Comparisons) {
  EXPECT_EQ(value_of(call(F::less, kBoolean, {real(1e308), real(std::nan(""))})), "true");
  EXPECT_EQ(value_of(call(F::equal, kBoolean, {real(std::nan("")), real(std::nan(""))})), "true");
  EXPECT_EQ(value_of(call(F::greater_equal, kBoolean, {text("b"), text("ab")})), "true");
  EXPECT_EQ(value_of(call(F::not_equal, kBoolean, {integer(1), null(kInteger)})), "NULL");
}

TEST(Evaluate, KleeneLogicAndErrors) {
  const ExprPtr t = boolean(true);
  const ExprPtr f = boolean(false);
  const ExprPtr n = null(kBoolean);
  EXPECT_EQ(value_of(call(F::and_, kBoolean, {n, f})), "false");
  EXPECT_EQ(value_of(call(F::and_, kBoolean, {n, t})), "NULL");
  EXPECT_EQ(value_of(call(F::or_, kBoolean, {n, t})), "true");
  EXPECT_EQ(value_of(call(F::or_, kBoolean, {n, f})), "NULL");
  EXPECT_EQ(value_of(call(F::not_, kBoolean, {n})), "NULL");
  // What decides wins over a failure, on either side of it; NULL does not.
  EXPECT_EQ(value_of(call(F::and_, kBoolean, {failing(), f})), "false");
  EXPECT_EQ(value_of(call(F::or_, kBoolean, {failing(), t})), "true");
  EXPECT_TRUE(fails(call(F::and_, kBoolean, {failing(), n})));
  EXPECT_TRUE(fails(call(F::or_, kBoolean, {n, failing()})));
}

TEST(Evaluate, InListFollowsSql) {
  const auto in = [](std::vector<ExprPtr> arguments) {
    return value_of(call(F::in_list, kBoolean, std::move(arguments)));
  };
  EXPECT_EQ(in({integer(7), integer(1), integer(7)}), "true");
  EXPECT_EQ(in({integer(7), integer(1), null(kInteger)}), "NULL");
  EXPECT_EQ(in({integer(7), null(kInteger), integer(7)}), "true");
  EXPECT_EQ(in({null(kInteger), integer(1)}), "NULL");
  EXPECT_EQ(in({text("a"), text("b")}), "false");
}

TEST(Evaluate, NullTests) {
  EXPECT_EQ(value_of(call(F::is_null, kBoolean, {null(kDate)})), "true");
  EXPECT_EQ(value_of(call(F::is_not_null, kBoolean, {null(kDate)})), "false");
}

TEST(Cast, ExactNumbersRoundHalfAwayFromZero) {
  const Type three = Type::decimal(6, 3);
  EXPECT_EQ(value_of(cast(integer(123456, three), Type::decimal(4, 1))), "123.5");
  EXPECT_EQ(value_of(cast(integer(2500, three), kInteger)), "3");
  EXPECT_EQ(value_of(cast(integer(-2500, three), kInteger)), "-3");
  EXPECT_EQ(value_of(cast(integer(2499, three), kInteger)), "2");
  EXPECT_EQ(value_of(cast(integer(99996, Type::decimal(5, 2)), Type::decimal(4, 1))),
            "error: out of range: DECIMAL(5,2) 999.96 does not fit DECIMAL(4,1)");
  EXPECT_EQ(value_of(cast(integer(7), Type::decimal(10, 2))), "7.00");
  EXPECT_TRUE(fails(cast(integer(256), kUtinyint)));
  EXPECT_TRUE(fails(cast(integer(kInt128Max, kHugeint), Type::decimal(38, 10))));
}

TEST(Cast, DoublesAndExactNumbers) {
  EXPECT_EQ(value_of(cast(real(2.5), kInteger)), "2");  // half to even, as DuckDB
  EXPECT_EQ(value_of(cast(real(3.5), kInteger)), "4");
  EXPECT_EQ(value_of(cast(real(-2.5), kInteger)), "-2");
  EXPECT_EQ(value_of(cast(real(0.125), Type::decimal(10, 2))), "0.13");
  EXPECT_EQ(value_of(cast(real(1.005), Type::decimal(10, 2))), "1.00");
  EXPECT_TRUE(fails(cast(real(std::nan("")), kInteger)));
  EXPECT_TRUE(fails(cast(real(1e20), kBigint)));
  EXPECT_TRUE(fails(cast(real(1e300), kHugeint)));
  EXPECT_EQ(value_of(cast(integer(15, Type::decimal(3, 1)), kDouble)), "1.5");
  EXPECT_EQ(value_of(cast(integer(Int128{1234567890123456789}, Type::decimal(19, 2)), kDouble)),
            "1.2345678901234568e+16");
}

TEST(Cast, HugeIntegersGiveTheNearestDouble) {
  // DuckDB rounds the halves by themselves and gives ...24e+19.
  const Int128 value = *parse_int128("-19966476279038236317");
  EXPECT_EQ(value_of(cast(integer(value, kHugeint), kDouble)), "-1.9966476279038235e+19");
}

TEST(Cast, TextAndBooleans) {
  EXPECT_EQ(value_of(cast(text(" 12 "), kInteger)), "12");
  EXPECT_EQ(value_of(cast(text("abc"), kInteger)), "error: 'abc' is no INTEGER");
  EXPECT_EQ(value_of(cast(boolean(true), kInteger)), "1");
  EXPECT_EQ(value_of(cast(integer(5), kBoolean)), "true");
  EXPECT_EQ(value_of(cast(null(kVarchar), kInteger)), "NULL");
}

TEST(Average, DividesSumByCount) {
  const Type sum_type = Type::decimal(38, 2);
  EXPECT_EQ(value_of(call(F::average, kDouble, {integer(405, sum_type), integer(2, kBigint)})),
            "2.025");
  // Divided once: 0.60 / 3 in DOUBLE would be 0.19999999999999998.
  EXPECT_EQ(value_of(call(F::average, kDouble, {integer(60, sum_type), integer(3, kBigint)})),
            "0.2");
  EXPECT_EQ(value_of(call(F::average, kDouble, {null(sum_type), integer(0, kBigint)})), "NULL");
  EXPECT_EQ(value_of(call(F::average, kDouble, {real(3), integer(2, kBigint)})), "1.5");
}

TEST(Like, Patterns) {
  EXPECT_TRUE(like_matches("abc", "a%_c", '\0'));
  EXPECT_TRUE(like_matches("", "%", '\0'));
  EXPECT_TRUE(like_matches("", "", '\0'));
  EXPECT_FALSE(like_matches("", "_", '\0'));
  EXPECT_TRUE(like_matches("abc", "%%c", '\0'));
  EXPECT_FALSE(like_matches("abc", "%b", '\0'));
  EXPECT_TRUE(like_matches("abababc", "%abc", '\0'));
  EXPECT_TRUE(like_matches("aXbXc", "a%X%c", '\0'));
  EXPECT_FALSE(like_matches("ABC", "abc", '\0'));
  EXPECT_TRUE(like_matches("special packages requests", "%special%requests%", '\0'));
}

/// The definition, without any cleverness: % takes any number of code points.
bool matches_by_definition(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  const auto code_point = [](std::string_view rest) {
    size_t size = 1;
    while (size < rest.size() && (static_cast<unsigned char>(rest[size]) & 0xC0) == 0x80) size++;
    return size;
  };
  if (pattern[0] == '%') {
    if (matches_by_definition(text, pattern.substr(1))) return true;
    return !text.empty() && matches_by_definition(text.substr(code_point(text)), pattern);
  }
  if (text.empty()) return false;
  if (pattern[0] == '_')
    return matches_by_definition(text.substr(code_point(text)), pattern.substr(1));
  return text[0] == pattern[0] && matches_by_definition(text.substr(1), pattern.substr(1));
}

TEST(Like, AgreesWithItsDefinition) {
  std::mt19937 random(20261123);
  constexpr const char* kPieces[] = {"a", "b", "ab", "\xC3\xA4", "\xC3\xB6"};
  constexpr const char* kPatternPieces[] = {"%", "%", "_", "a", "b", "ab", "\xC3\xA4"};
  for (int round = 0; round < 20000; round++) {
    std::string text;
    std::string pattern;
    for (unsigned i = random() % 9; i > 0; i--) text += kPieces[random() % std::size(kPieces)];
    for (unsigned i = random() % 7; i > 0; i--)
      pattern += kPatternPieces[random() % std::size(kPatternPieces)];
    ASSERT_EQ(like_matches(text, pattern, '\0'), matches_by_definition(text, pattern))
        << "'" << text << "' LIKE '" << pattern << "', round " << round;
  }
}

TEST(Like, EscapesAndCodePoints) {
  EXPECT_TRUE(like_matches("a%c", "a\\%c", '\\'));
  EXPECT_FALSE(like_matches("abc", "a\\%c", '\\'));
  EXPECT_TRUE(like_matches("10%", "10%%", '%'));  // the escape itself, escaped
  EXPECT_TRUE(
      like_matches("\xC3\xA4"
                   "b",
                   "_b", '\0'));
  EXPECT_TRUE(like_matches("\xF0\x9F\x98\x80", "_", '\0'));
  EXPECT_FALSE(like_matches("\xF0\x9F\x98\x80", "__", '\0'));
  EXPECT_TRUE(like_matches("\xFF\xFE", "__", '\0'));  // stray bytes count one each
}

TEST(Like, AgreesWithTheDefinition) {
  // The definition, by recursion, on all short texts over {a, b} and patterns over {a, %, _}.
  const std::function<bool(std::string_view, std::string_view)> defined =
      [&defined](std::string_view t, std::string_view p) -> bool {
    if (p.empty()) return t.empty();
    if (p[0] == '%') return defined(t, p.substr(1)) || (!t.empty() && defined(t.substr(1), p));
    return !t.empty() && (p[0] == '_' || p[0] == t[0]) && defined(t.substr(1), p.substr(1));
  };
  const auto all_words = [](std::string_view letters, size_t length) {
    std::vector<std::string> words = {""};
    for (size_t from = 0, i = 0; i < length; i++) {
      const size_t end = words.size();
      for (; from < end; from++) {
        for (char letter : letters) words.push_back(words[from] + letter);
      }
    }
    return words;
  };
  for (const std::string& pattern : all_words("a%_", 5)) {
    for (const std::string& word : all_words("ab", 4))
      EXPECT_EQ(like_matches(word, pattern, '\0'), defined(word, pattern))
          << word << " " << pattern;
  }
}

TEST(Passes, RejectionBeatsFailureInAnyOrder) {
  Record record;
  const auto verdict = [&record](std::vector<ExprPtr> filter) {
    const auto result = passes(filter, record);
    return result.ok() ? (*result ? "passes" : "rejected") : "error";
  };
  EXPECT_STREQ(verdict({}), "passes");
  EXPECT_STREQ(verdict({boolean(true), failing()}), "error");
  EXPECT_STREQ(verdict({failing(), boolean(false)}), "rejected");
  EXPECT_STREQ(verdict({failing(), null(kBoolean)}), "rejected");
  EXPECT_STREQ(verdict({boolean(true)}), "passes");
}

TEST(Evaluate, ErrorsOfExpressionsKnowTheirPlaceInTheSql) {
  auto expr = std::make_shared<Expr>(*call(F::integer_divide, kInteger, {integer(1), integer(0)}));
  expr->sql_offset = 17;
  Record record;
  const auto value = evaluate(*expr, record);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().kind, ErrorKind::data);
  EXPECT_EQ(value.error().sql_offset, 17U);
  const auto field = evaluate(*failing(), record);
  ASSERT_FALSE(field.ok());
  EXPECT_FALSE(field.error().sql_offset.has_value());
}

TEST(Expr, TextIsSqlLike) {
  const std::vector<std::string> names = {"price", "comment"};
  const ExprPtr price = make_column(0, Type::decimal(15, 2));
  const ExprPtr expr = call(F::and_, kBoolean,
                            {call(F::less, kBoolean, {price, integer(2400, Type::decimal(15, 2))}),
                             call(F::like, kBoolean, {make_column(1, kVarchar), text("it's%")})});
  EXPECT_EQ(expr->to_string(&names), "((price < 24.00) AND (comment LIKE 'it''s%'))");
  EXPECT_EQ(cast(price, kDouble)->to_string(), "CAST(column0 AS DOUBLE)");
}

TEST(Expr, SameExpressionAndColumns) {
  const ExprPtr a = call(F::add, kInteger, {make_column(3, kInteger), make_column(1, kInteger)});
  const ExprPtr b = call(F::add, kInteger, {make_column(3, kInteger), make_column(1, kInteger)});
  const ExprPtr c = call(F::add, kInteger, {make_column(1, kInteger), make_column(3, kInteger)});
  EXPECT_TRUE(same_expression(*a, *b));
  EXPECT_FALSE(same_expression(*a, *c));
  EXPECT_FALSE(same_expression(*real(0.0), *real(-0.0)));
  EXPECT_TRUE(same_expression(*null(kInteger), *null(kInteger)));
  EXPECT_FALSE(same_expression(*text("a"), *text("b")));
  std::vector<uint32_t> columns;
  collect_columns(*call(F::add, kInteger, {a, b}), columns);
  EXPECT_EQ(columns, (std::vector<uint32_t>{1, 3}));
}

TEST(Expr, ConstantTextSurvivesCopies) {
  auto copy = std::make_unique<Expr>(*text("short"));
  Record record;
  EXPECT_EQ(evaluate(*copy, record)->text, "short");
}

}  // namespace
}  // namespace grapnel::op
