#include "source/type_guess.h"

#include <algorithm>
#include <limits>

#include "op/evaluate.h"

namespace grapnel::source {
namespace {

constexpr int kNarrowDigits = 18;  ///< decimals that fit 64 bits
constexpr int kWideDigits = 38;
constexpr int kRoomDigits = 2;  ///< for greater values behind the sample

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

size_t digits_at(std::string_view text, size_t from) {
  size_t end = from;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - from;
}

/// 0, 1, y and n convert to BOOLEAN too, but a column of them is more likely something else
/// (DuckDB).
bool looks_like_boolean(std::string_view text) {
  if (text.empty() || text.size() > 5 || is_digit(text[0])) return false;
  if (text == "y" || text == "Y" || text == "n" || text == "N") return false;
  return op::parse_text(text, op::Type::of(op::TypeKind::boolean)).has_value();
}

/// year-month-day with - or /, and nothing else (surrounding spaces apart).
bool looks_like_date(std::string_view text) {
  const size_t year = digits_at(text, 0);
  if (year < 4 || year + 2 > text.size()) return false;
  if (text[year] != '-' && text[year] != '/') return false;
  return op::parse_text(text, op::Type::of(op::TypeKind::date)).has_value();
}

bool looks_like_real(std::string_view text) {
  const size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() > sign + 1 && text[sign] == '0' && is_digit(text[sign + 1])) return false;
  if (text.empty() || text[0] == '+') return false;
  return op::parse_text(text, op::Type::of(op::TypeKind::real)).has_value();
}

}  // namespace

/// [-]digits[.digits] without anything behind; leading zeros make an identifier, not a number
/// (as DuckDB sees it; after a sign it is a number again).
std::optional<TypeGuess::PlainNumber> TypeGuess::plain_number(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  size_t at = negative ? 1 : 0;
  const size_t whole = digits_at(text, at);
  if (!negative && whole > 1 && text[at] == '0') return std::nullopt;
  PlainNumber number;
  size_t zeros = 0;
  while (zeros < whole && text[at + zeros] == '0') ++zeros;
  number.whole_digits = static_cast<int>(std::min<size_t>(whole - zeros, 1000));
  at += whole;
  size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    number.has_point = true;
    fraction = digits_at(text, at + 1);
    number.scale = static_cast<int>(std::min<size_t>(fraction, 1000));
    at += 1 + fraction;
  }
  if (at != text.size() || whole + fraction == 0) return std::nullopt;
  return number;
}

void TypeGuess::add(std::string_view text) {
  if (text.empty() || is_text_) return;
  ++values_;
  const std::string_view trimmed = without_spaces(text);
  if (const auto number = plain_number(trimmed)) {
    add_number(*number, trimmed);
  } else if (looks_like_date(trimmed)) {
    ++dates_;
  } else if (looks_like_boolean(text)) {
    ++booleans_;
  } else if (looks_like_real(trimmed)) {
    ++reals_;
  } else {
    is_text_ = true;
  }
}

void TypeGuess::add_number(const PlainNumber& number, std::string_view text) {
  whole_digits_ = std::max(whole_digits_, number.whole_digits);
  if (number.has_point) {
    ++decimals_;
    least_scale_ = std::min(least_scale_, number.scale);
    greatest_scale_ = std::max(greatest_scale_, number.scale);
    return;
  }
  ++integers_;
  if (number.whole_digits <= kNarrowDigits) return;
  const auto value = parse_int128(text);
  if (!value) {
    is_text_ = true;  // no type holds all its digits
    return;
  }
  beyond_bigint_ |=
      *value > std::numeric_limits<int64_t>::max() || *value < std::numeric_limits<int64_t>::min();
}

op::Type TypeGuess::type() const {
  const auto is = [this](size_t count) { return count == values_; };
  if (values_ == 0 || is_text_) return op::Type::of(op::TypeKind::varchar);
  if (is(booleans_)) return op::Type::of(op::TypeKind::boolean);
  if (is(dates_)) return op::Type::of(op::TypeKind::date);
  if (is(integers_))
    return op::Type::of(beyond_bigint_ ? op::TypeKind::hugeint : op::TypeKind::bigint);
  if (is(integers_ + decimals_)) {
    const bool printed_float =
        greatest_scale_ > kLongestDecimalScale && least_scale_ != greatest_scale_;
    if (!printed_float && whole_digits_ + greatest_scale_ + kRoomDigits <= kNarrowDigits)
      return op::Type::decimal(kNarrowDigits, greatest_scale_);
    if (!printed_float && whole_digits_ + greatest_scale_ <= kWideDigits)
      return op::Type::decimal(kWideDigits, greatest_scale_);
  }
  if (is(integers_ + decimals_ + reals_)) return op::Type::of(op::TypeKind::real);
  return op::Type::of(op::TypeKind::varchar);
}

bool could_hold(op::Type type, std::string_view text) {
  if (text.empty() || type.kind == op::TypeKind::varchar) return true;
  if (type.kind == op::TypeKind::decimal) type = op::Type::of(op::TypeKind::real);
  return op::parse_text(text, type).has_value();
}

}  // namespace grapnel::source
