// 128-bit integers, the width in which grapnel keeps sums and wide decimals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grapnel {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

inline constexpr Int128 kInt128Max = static_cast<Int128>(~UInt128{0} >> 1);
inline constexpr Int128 kInt128Min = -kInt128Max - 1;

/// 10^exponent for exponent in 0..38.
Int128 power_of_ten(int exponent);

/// Decimal text of `value` with `scale` digits after the point (scale 0: no point).
std::string to_string(Int128 value, int scale = 0);

/// Parses an optionally signed run of digits. Empty when the text is no integer or does not fit.
std::optional<Int128> parse_int128(std::string_view text);

/// Exact arithmetic; empty when the result needs more than 128 bits.
std::optional<Int128> checked_add(Int128 a, Int128 b);
std::optional<Int128> checked_subtract(Int128 a, Int128 b);
std::optional<Int128> checked_multiply(Int128 a, Int128 b);

}  // namespace grapnel
