#include "base/int128.h"

#include <algorithm>
#include <array>

namespace grapnel {

Int128 power_of_ten(int exponent) {
  static const auto table = [] {
    std::array<Int128, 39> powers{};
    powers[0] = 1;
    for (size_t i = 1; i < powers.size(); i++) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return table[static_cast<size_t>(exponent)];
}

std::string to_string(Int128 value, int scale) {
  const bool negative = value < 0;
  UInt128 magnitude = negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  std::string text;
  int digits = 0;
  do {
    if (digits == scale && scale > 0) text += '.';
    text += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
    digits++;
  } while (magnitude != 0 || digits <= scale);
  if (negative) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

std::optional<Int128> parse_int128(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  Int128 value = 0;  // built downwards, so that the smallest value fits
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, Int128{10}, &value)) return std::nullopt;
    if (__builtin_sub_overflow(value, Int128{c - '0'}, &value)) return std::nullopt;
  }
  if (negative) return value;
  if (value == kInt128Min) return std::nullopt;
  return -value;
}

std::optional<Int128> checked_add(Int128 a, Int128 b) {
  Int128 result;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

std::optional<Int128> checked_subtract(Int128 a, Int128 b) {
  Int128 result;
  if (__builtin_sub_overflow(a, b, &result)) return std::nullopt;
  return result;
}

std::optional<Int128> checked_multiply(Int128 a, Int128 b) {
  Int128 result;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

}  // namespace grapnel
