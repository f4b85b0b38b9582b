// Text -> value. The spellings are DuckDB's for CSV fields, without those that hide a mistake in
// the data: 0x10 and 1_000 as numbers, and a time behind a date, which DuckDB drops.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "op/evaluate.h"

namespace grapnel::op {

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_digits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && is_digit(text[count])) count++;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

/// [sign] digits [. digits] [e [sign] digits], cut into its parts.
struct NumberText {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;

  [[nodiscard]] int64_t digit_count() const {
    return static_cast<int64_t>(whole.size() + fraction.size());
  }
  [[nodiscard]] unsigned digit(int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return static_cast<unsigned>((at < whole.size() ? whole[at] : fraction[at - whole.size()]) -
                                 '0');
  }
  /// Position of the first digit that is not 0, or digit_count().
  [[nodiscard]] int64_t first_significant() const {
    int64_t i = 0;
    while (i < digit_count() && digit(i) == 0) i++;
    return i;
  }
};

bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

std::optional<NumberText> scan_number(std::string_view text) {
  NumberText number;
  number.negative = take_sign(text);
  number.whole = take_digits(text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
  }
  if (number.digit_count() == 0) return std::nullopt;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    const bool negative = take_sign(text);
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    // Far beyond every type's range, and far from overflow in the sums below.
    constexpr int64_t kFarAway = 1'000'000'000;
    for (char c : digits) number.exponent = std::min(number.exponent * 10 + (c - '0'), kFarAway);
    if (negative) number.exponent = -number.exponent;
  }
  if (!text.empty()) return std::nullopt;
  return number;
}

/// number x 10^scale as an integer, rounded half away from zero. Empty if beyond 128 bits.
std::optional<Int128> scaled_value(const NumberText& number, int scale) {
  // Digits in front of position `end` make the value, the digit at `end` rounds it.
  const int64_t end = static_cast<int64_t>(number.whole.size()) + number.exponent + scale;
  const int64_t count = number.digit_count();
  const int64_t first = number.first_significant();
  if (first == count || end < first) return 0;
  constexpr int64_t kMostDigits = 39;  // of 2^127
  if (end - first > kMostDigits) return std::nullopt;
  UInt128 magnitude = 0;
  for (int64_t i = first; i < end; i++) {
    const unsigned digit = i < count ? number.digit(i) : 0;
    if (__builtin_mul_overflow(magnitude, UInt128{10}, &magnitude) ||
        __builtin_add_overflow(magnitude, UInt128{digit}, &magnitude))
      return std::nullopt;
  }
  if (end < count && number.digit(end) >= 5) magnitude++;
  const UInt128 greatest = static_cast<UInt128>(kInt128Max) + (number.negative ? 1 : 0);
  if (magnitude > greatest) return std::nullopt;
  return static_cast<Int128>(number.negative ? -magnitude : magnitude);
}

std::optional<Datum> parse_exact_number(std::string_view text, Type type) {
  const auto number = scan_number(trimmed(text));
  if (!number) return std::nullopt;
  const auto value = scaled_value(*number, type.kind == TypeKind::decimal ? type.scale : 0);
  if (!value || !range_of(type).contains(*value)) return std::nullopt;
  // -0.4 is no value of an unsigned type, though it would round to one (DuckDB).
  const bool is_unsigned = type.is_integer() && range_of(type).least == 0;
  if (is_unsigned && number->negative && number->first_significant() < number->digit_count())
    return std::nullopt;
  return Datum::of_integer(*value);
}

std::optional<Datum> parse_real(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const auto number = scan_number(text);
    if (!number) return std::nullopt;
    const int64_t magnitude =
        static_cast<int64_t>(number->whole.size()) + number->exponent - number->first_significant();
    value = magnitude > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    if (number->negative) value = -value;
  }
  return Datum::of_real(value);
}

std::optional<Datum> parse_boolean(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kTrue = {"true", "t", "1", "yes", "y"};
  static constexpr std::array<std::string_view, 5> kFalse = {"false", "f", "0", "no", "n"};
  const auto is_text = [text](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  };
  if (std::any_of(kTrue.begin(), kTrue.end(), is_text)) return Datum::of_bool(true);
  if (std::any_of(kFalse.begin(), kFalse.end(), is_text)) return Datum::of_bool(false);
  return std::nullopt;
}

unsigned days_in_month(int64_t year, unsigned month) {
  static constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30,
                                                     31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

/// At most `most` digits as a number; empty if there is none or more of them.
std::optional<int64_t> take_small_number(std::string_view& text, size_t most) {
  const std::string_view digits = take_digits(text);
  if (digits.empty() || digits.size() > most) return std::nullopt;
  int64_t value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

std::optional<Datum> parse_date(std::string_view text) {
  text = trimmed(text);
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  auto year = take_small_number(text, 7);
  if (!year || text.empty()) return std::nullopt;
  const char separator = text[0];
  if (std::string_view("-/ \\").find(separator) == std::string_view::npos) return std::nullopt;
  text.remove_prefix(1);
  const auto month = take_small_number(text, 2);
  if (!month || *month < 1 || *month > 12 || text.empty() || text[0] != separator)
    return std::nullopt;
  text.remove_prefix(1);
  const auto day = take_small_number(text, 2);
  if (negative) year = -*year;
  if (!day) return std::nullopt;
  if (text == " (BC)" && !negative && *year > 0) {
    year = 1 - *year;
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  const auto month_number = static_cast<unsigned>(*month);
  if (*day < 1 || *day > days_in_month(*year, month_number)) return std::nullopt;
  const Int128 days = days_from_civil(*year, month_number, static_cast<unsigned>(*day));
  if (!range_of(Type::of(TypeKind::date)).contains(days)) return std::nullopt;
  return Datum::of_integer(days);
}

}  // namespace

std::optional<Datum> parse_text(std::string_view text, Type type) {
  switch (type.kind) {
    case TypeKind::varchar:
      return Datum::of_text(text);
    case TypeKind::boolean:
      return parse_boolean(text);
    case TypeKind::real:
      return parse_real(text);
    case TypeKind::date:
      return parse_date(text);
    default:
      return parse_exact_number(text, type);
  }
}

}  // namespace grapnel::op
