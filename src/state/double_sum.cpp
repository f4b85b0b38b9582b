#include "state/double_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/int128.h"

namespace grapnel::state {

namespace {

constexpr uint64_t kPendingMask = 0xFFFFFFFF;  ///< of word 0
constexpr uint64_t kSawNan = uint64_t{1} << 32;
constexpr uint64_t kSawPlusInfinity = uint64_t{1} << 33;
constexpr uint64_t kSawMinusInfinity = uint64_t{1} << 34;
constexpr uint64_t kFlags = kSawNan | kSawPlusInfinity | kSawMinusInfinity;

/// An addition moves a chunk by less than 2^52, so this many stay within 63 bits.
constexpr uint64_t kMostPending = (1 << 11) - 2;
constexpr uint64_t kLow32 = 0xFFFFFFFF;
/// Chunk i counts units of 2^(32 i + kFirstExponent).
constexpr int kFirstExponent = -1075;

/// Brings all chunks but the highest into [0, 2^32), without changing the sum.
void carry(uint64_t* chunks) {
  for (uint32_t i = 0; i + 1 < kDoubleSumChunks; i++) {
    chunks[i + 1] += static_cast<uint64_t>(static_cast<int64_t>(chunks[i]) >> 32);
    chunks[i] &= kLow32;
  }
}

/// The value of carried chunks that are not negative.
double round_to_double(const uint64_t* chunks) {
  int highest = kDoubleSumChunks - 1;
  while (highest >= 0 && chunks[highest] == 0) highest--;
  if (highest < 0) return 0.0;
  const auto chunk = [chunks](int i) { return i >= 0 ? UInt128{chunks[i]} : UInt128{0}; };
  // The leading 65 bits or more, and whether anything lies below them.
  const UInt128 leading = chunk(highest) << 64 | chunk(highest - 1) << 32 | chunk(highest - 2);
  const int unit = 32 * (highest - 2) + kFirstExponent;  // exponent of leading's lowest bit
  bool below = false;
  for (int i = 0; i < highest - 2; i++) below = below || chunks[i] != 0;

  const auto high_word = static_cast<uint64_t>(leading >> 64);
  const int bits = 128 - std::countl_zero(high_word);  // high_word is not 0
  const int target = std::max(unit + bits - 53, -1074);
  const int drop = target - unit;  // at least 65 - 53
  UInt128 kept = leading >> drop;
  const UInt128 rest = leading & ((UInt128{1} << drop) - 1);
  const UInt128 half = UInt128{1} << (drop - 1);
  if (rest > half || (rest == half && (below || (kept & 1) != 0))) kept++;
  return std::ldexp(static_cast<double>(static_cast<uint64_t>(kept)), target);
}

}  // namespace

void double_sum_add(uint64_t* words, double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const bool negative = bits >> 63 != 0;
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  uint64_t exponent = bits >> 52 & 0x7FF;
  if (exponent == 0x7FF) {
    words[0] |= mantissa != 0 ? kSawNan : negative ? kSawMinusInfinity : kSawPlusInfinity;
    return;
  }
  if (exponent == 0) {
    exponent = 1;
  } else {
    mantissa |= uint64_t{1} << 52;
  }
  uint64_t* chunks = words + 1;
  if ((words[0] & kPendingMask) >= kMostPending) {
    carry(chunks);
    words[0] &= kFlags;
  }
  words[0]++;
  const uint64_t shift = exponent & 31;
  const uint64_t low = mantissa << shift & kLow32;
  const uint64_t high = mantissa >> (32 - shift);
  uint64_t* place = chunks + (exponent >> 5);
  if (negative) {
    place[0] -= low;
    place[1] -= high;
  } else {
    place[0] += low;
    place[1] += high;
  }
}

void double_sum_merge(uint64_t* words, const uint64_t* other) {
  std::array<uint64_t, kDoubleSumChunks> theirs;
  std::copy_n(other + 1, kDoubleSumChunks, theirs.begin());
  carry(theirs.data());
  uint64_t* chunks = words + 1;
  carry(chunks);
  for (uint32_t i = 0; i < kDoubleSumChunks; i++) chunks[i] += theirs[i];
  carry(chunks);
  words[0] = (words[0] | other[0]) & kFlags;
}

double double_sum_finish(const uint64_t* words) {
  const uint64_t flags = words[0] & kFlags;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if ((flags & kSawNan) != 0 || flags == (kSawPlusInfinity | kSawMinusInfinity))
    return std::numeric_limits<double>::quiet_NaN();
  if (flags != 0) return flags == kSawPlusInfinity ? kInfinity : -kInfinity;

  std::array<uint64_t, kDoubleSumChunks> chunks;
  std::copy_n(words + 1, kDoubleSumChunks, chunks.begin());
  carry(chunks.data());
  const bool negative = static_cast<int64_t>(chunks.back()) < 0;
  if (negative) {
    for (uint64_t& chunk : chunks) chunk = -chunk;
    carry(chunks.data());
  }
  const double sum = round_to_double(chunks.data());
  return negative ? -sum : sum;
}

}  // namespace grapnel::state
