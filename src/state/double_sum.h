// Exact sum of DOUBLEs: the answer is the true sum, rounded once, whatever the order of the values.
// The small superaccumulator of R. M. Neal, "Fast exact summation using small and large
// superaccumulators", arXiv:1505.05571 (2015): one chunk of 64 bits for each 32 bits of exponent.
//
// NaN and infinities as IEEE 754 addition has them: a NaN, or infinities of both signs, give NaN;
// else an infinity gives itself. Finite values give inf only if their true sum rounds to it.
#pragma once

#include <cstdint>

namespace grapnel::state {

inline constexpr uint32_t kDoubleSumChunks = 67;
/// Word 0: additions since the last carry, and flags. Then the chunks, lowest first.
inline constexpr uint32_t kDoubleSumWords = 1 + kDoubleSumChunks;

/// All on `words` of kDoubleSumWords; zeroes are the empty sum.
void double_sum_add(uint64_t* words, double value);
/// Adds the sum in `other`.
void double_sum_merge(uint64_t* words, const uint64_t* other);
/// The sum, rounded to nearest, ties to even.
double double_sum_finish(const uint64_t* words);

}  // namespace grapnel::state
