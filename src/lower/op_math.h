/* Arithmetic of the generated op that needs another form in BPF than natively. Included by every
 * template, called by generated code, always inlined.
 *
 * BPF: no conditional moves, no set-on-compare, no signed division, no 128-bit product. So
 * everything there is mask arithmetic; the barriers keep LLVM from turning it back into branches,
 * each of which the verifier would have to follow for both outcomes.
 *
 * Overflow results are 0 or not (natively: 0 or 1). Saying so too often is allowed (the record
 * escapes), too seldom is not. */
#ifndef GRAPNEL_LOWER_OP_MATH_H
#define GRAPNEL_LOWER_OP_MATH_H

#include "lower/op_abi.h"

#ifdef GR_BPF

#define GR_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define GR_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#include "lower/bpf/verifier.bpf.h"

/* 1 if the sign bit is set. */
GR_TEMPLATE gr_u64 gr_sign(gr_u64 x) {
  GR_OPAQUE(x); /* else x | -x is seen to mean x != 0, which needs a branch */
  x >>= 63;
  GR_OPAQUE(x);
  return x;
}

GR_TEMPLATE gr_u64 gr_is_nonzero(gr_u64 x) { return gr_sign(x | (0 - x)); }
GR_TEMPLATE gr_u64 gr_is_equal(gr_s64 a, gr_s64 b) {
  return gr_is_nonzero((gr_u64)a ^ (gr_u64)b) ^ 1;
}
/* a < b for all values; and, cheaper, where a - b cannot overflow. */
GR_TEMPLATE gr_u64 gr_is_less(gr_s64 a, gr_s64 b) {
  gr_u64 ua = (gr_u64)a, ub = (gr_u64)b;
  return gr_sign((ua & ~ub) | (~(ua ^ ub) & (ua - ub)));
}
GR_TEMPLATE gr_u64 gr_is_less_near(gr_s64 a, gr_s64 b) { return gr_sign((gr_u64)a - (gr_u64)b); }
/* Unsigned a < b. */
GR_TEMPLATE gr_u64 gr_is_below(gr_u64 a, gr_u64 b) {
  return gr_sign((~a & b) | (~(a ^ b) & (a - b)));
}

/* condition (0 or 1) ? a : b */
GR_TEMPLATE gr_s64 gr_choose(gr_u64 condition, gr_s64 a, gr_s64 b) {
  gr_u64 mask = 0 - condition;
  GR_OPAQUE(mask);
  return (gr_s64)(((gr_u64)a & mask) | ((gr_u64)b & ~mask));
}

GR_TEMPLATE gr_u64 gr_add(gr_s64 a, gr_s64 b, gr_s64* result) {
  gr_u64 r = (gr_u64)a + (gr_u64)b;
  *result = (gr_s64)r;
  return gr_sign(((gr_u64)a ^ r) & ((gr_u64)b ^ r));
}
GR_TEMPLATE gr_u64 gr_subtract(gr_s64 a, gr_s64 b, gr_s64* result) {
  gr_u64 r = (gr_u64)a - (gr_u64)b;
  *result = (gr_s64)r;
  return gr_sign(((gr_u64)a ^ (gr_u64)b) & ((gr_u64)a ^ r));
}

GR_TEMPLATE gr_u64 gr_magnitude(gr_s64 a) {
  gr_u64 sign = (gr_u64)(a >> 63);
  GR_OPAQUE(sign);
  return ((gr_u64)a ^ sign) - sign;
}

/* Nearly all factors are: the product of two such is below 10^18. */
GR_TEMPLATE gr_u64 gr_is_small(gr_s64 a) {
  const gr_u64 most = 999999999;
  return (gr_u64)a + most <= 2 * most;
}

/* Exact for |a|, |b| < 2^47 with a product below about 2^63; "overflow" for the rest. With
 * x = |a| >> 16, y = |b| >> 16:  |a * b| < (x + 1)(y + 1) 2^32, so (x + 1)(y + 1) < 2^31 proves it,
 * and x, y < 2^31 keep that product itself in range. */
GR_TEMPLATE gr_u64 gr_multiply(gr_s64 a, gr_s64 b, gr_s64* result) {
  *result = (gr_s64)((gr_u64)a * (gr_u64)b);
  if (GR_LIKELY(gr_is_small(a)) && GR_LIKELY(gr_is_small(b))) return 0;
  gr_u64 x = gr_magnitude(a) >> 16, y = gr_magnitude(b) >> 16;
  return (x | y) >> 31 | ((x + 1) * (y + 1)) >> 31;
}

/* The same where the product must lie in [low, low + span], which has all products of small
 * factors. */
GR_TEMPLATE gr_u64 gr_multiply_within(gr_s64 a, gr_s64 b, gr_u64 low, gr_u64 span, gr_s64* result) {
  *result = (gr_s64)((gr_u64)a * (gr_u64)b);
  if (GR_LIKELY(gr_is_small(a)) && GR_LIKELY(gr_is_small(b))) return 0;
  return gr_multiply(a, b, result) | ((gr_u64)*result - low > span);
}

/* Quotient rounded toward zero; b != 0. INT64_MIN / -1 overflows. */
GR_TEMPLATE gr_u64 gr_divide(gr_s64 a, gr_s64 b, gr_s64* result) {
  gr_u64 q = gr_magnitude(a) / gr_magnitude(b);
  gr_u64 sign = (gr_u64)((a ^ b) >> 63);
  GR_OPAQUE(sign);
  *result = (gr_s64)((q ^ sign) - sign);
  return gr_sign(q & ~sign);
}
/* Remainder with the sign of a; b != 0. */
GR_TEMPLATE gr_s64 gr_modulo(gr_s64 a, gr_s64 b) {
  gr_u64 r = gr_magnitude(a) % gr_magnitude(b);
  gr_u64 sign = (gr_u64)(a >> 63);
  GR_OPAQUE(sign);
  return (gr_s64)((r ^ sign) - sign);
}
/* a / power, rounded half away from zero; power is a constant power of ten > 1. */
GR_TEMPLATE gr_s64 gr_scale_down(gr_s64 a, gr_u64 power) {
  gr_u64 q = (gr_magnitude(a) + power / 2) / power;
  gr_u64 sign = (gr_u64)(a >> 63);
  GR_OPAQUE(sign);
  return (gr_s64)((q ^ sign) - sign);
}

/* The least offset so far. Records come nearly in file order, so it hardly ever changes. */
GR_TEMPLATE void gr_keep_smaller(gr_u64* slot, gr_u64 offset) {
  if (offset < *slot) *slot = offset;
}

/* 128-bit sum at slot[0..1] (low, high). The high word moves seldom, and only memory differs behind
 * the branch: the verifier sees one way. */
GR_TEMPLATE void gr_sum_add(gr_u64* slot, gr_s64 value) {
  gr_u64 before = slot[0], low = before + (gr_u64)value;
  GR_OPAQUE(low); /* else LLVM makes a word of the carry first */
  slot[0] = low;
  if (low < before) slot[1]++; /* carry */
  if (value < 0) slot[1]--;    /* the sign's word of ones */
}

/* The same for sums of wide types, whose totals may pass 128 bits on the way: low, high, (count),
 * top. */
GR_TEMPLATE void gr_sum_add_wide(gr_u64* slot, gr_s64 value) {
  gr_u64 sign = (gr_u64)(value >> 63);
  gr_u64 before = slot[0], low = before + (gr_u64)value;
  gr_u64 carry = gr_sign((before & (gr_u64)value) | ((before | (gr_u64)value) & ~low));
  gr_u64 high_before = slot[1], high = high_before + sign + carry;
  /* carry out of a full adder: both, or one of them and the sum's bit is gone */
  gr_u64 high_carry = gr_sign((high_before & sign) | ((high_before | sign) & ~high));
  slot[0] = low;
  slot[1] = high;
  slot[3] += sign + high_carry;
}

#else

GR_TEMPLATE gr_u64 gr_add(gr_s64 a, gr_s64 b, gr_s64* result) {
  return __builtin_add_overflow(a, b, result);
}
GR_TEMPLATE gr_u64 gr_subtract(gr_s64 a, gr_s64 b, gr_s64* result) {
  return __builtin_sub_overflow(a, b, result);
}
GR_TEMPLATE gr_u64 gr_multiply(gr_s64 a, gr_s64 b, gr_s64* result) {
  return __builtin_mul_overflow(a, b, result);
}
/* Quotient rounded toward zero; b != 0. INT64_MIN / -1 overflows (and would trap). */
GR_TEMPLATE gr_u64 gr_divide(gr_s64 a, gr_s64 b, gr_s64* result) {
  if (b == -1) return __builtin_sub_overflow((gr_s64)0, a, result);
  *result = a / b;
  return 0;
}
GR_TEMPLATE gr_s64 gr_modulo(gr_s64 a, gr_s64 b) { return b == -1 ? 0 : a % b; }
GR_TEMPLATE gr_s64 gr_scale_down(gr_s64 a, gr_u64 power) {
  gr_u64 magnitude = a < 0 ? 0 - (gr_u64)a : (gr_u64)a;
  gr_u64 q = (magnitude + power / 2) / power;
  return (gr_s64)(a < 0 ? 0 - q : q);
}
GR_TEMPLATE void gr_sum_add(gr_u64* slot, gr_s64 value, gr_u64 counted) {
  unsigned __int128 sum = (unsigned __int128)slot[1] << 64 | slot[0];
  sum += (unsigned __int128)(__int128)value;
  slot[0] = (gr_u64)sum;
  slot[1] = (gr_u64)(sum >> 64);
  slot[2] += counted;
}
/* The same for sums of wide types, whose totals may pass 128 bits on the way: low, high, count,
 * top. */
GR_TEMPLATE void gr_sum_add_wide(gr_u64* slot, gr_s64 value, gr_u64 counted) {
  unsigned __int128 before = (unsigned __int128)slot[1] << 64 | slot[0];
  unsigned __int128 sum = before + (unsigned __int128)(__int128)value;
  slot[0] = (gr_u64)sum;
  slot[1] = (gr_u64)(sum >> 64);
  slot[2] += counted;
  slot[3] += (gr_u64)(value >> 63) + (sum < before);
}

/* value / 10^scale as a double, exactly as op/evaluate.cpp has it. scale 0..18. */
GR_TEMPLATE double gr_to_real(gr_s64 value, gr_u32 scale) {
  static const double real_power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                      1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  static const gr_s64 power[] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000};
  const gr_s64 exact = (gr_s64)1 << 53;
  if (scale == 0) return (double)value;
  if (value >= -exact && value <= exact) return (double)value / real_power[scale];
  return (double)(value / power[scale]) + (double)(value % power[scale]) / real_power[scale];
}

#endif
#endif
