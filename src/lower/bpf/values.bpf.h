/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Text to values. Each conversion has a form without branches for what nearly every field looks
 * like, and a subprogram for the rest. What neither takes escapes to the exact form in user space,
 * which knows all spellings; an escape is never wrong. */
#ifndef GRAPNEL_LOWER_BPF_VALUES_BPF_H
#define GRAPNEL_LOWER_BPF_VALUES_BPF_H

#include "lower/bpf/template.bpf.h"

/* A field's bytes: data[at, at + size). */
struct gr_span {
  gr_u64 at, size;
  const gr_u8* text; /* data + at */
};

/* --- Numbers --- */

static const gr_u64 gr_powers_of_ten[32] = {1ull,
                                            10ull,
                                            100ull,
                                            1000ull,
                                            10000ull,
                                            100000ull,
                                            1000000ull,
                                            10000000ull,
                                            100000000ull,
                                            1000000000ull,
                                            10000000000ull,
                                            100000000000ull,
                                            1000000000000ull,
                                            10000000000000ull,
                                            100000000000000ull,
                                            1000000000000000ull,
                                            10000000000000000ull,
                                            100000000000000000ull,
                                            1000000000000000000ull};

/* Nonzero if a byte of `digits` (characters ^ '0') is above 9. */
GR_INLINE gr_u64 gr_not_digits(gr_u64 digits) {
  return ((digits + GR_REPEAT(0x76)) | digits) & GR_HIGH;
}

/* Eight digits 0..9, the first one in the lowest byte. */
GR_INLINE gr_u64 gr_eight_digits(gr_u64 digits) {
  digits = (digits * (1 + (10ull << 8))) >> 8;
  digits = ((digits & 0x00ff00ff00ff00ffull) * (1 + (100ull << 16))) >> 16;
  return ((digits & 0x0000ffff0000ffffull) * (1 + (10000ull << 32))) >> 32;
}

/* The same by two products instead of three, with a point, which must be a zero by now, in front of
 * the last `scale` digits (a constant, 0..6; 0: no point). Pairs of digits first; what stands left
 * of the point is worth a tenth of what it would be worth without it. */
GR_INLINE gr_u64 gr_seven_digits(gr_u64 digits, gr_u32 scale) {
  gr_u32 point = scale ? 7 - scale : 0; /* its byte */
  gr_u64 w0 = point >= 1 ? 100000 : 1000000;
  gr_u64 w1 = point >= 3 ? 1000 : 10000;
  gr_u64 w2 = point >= 5 ? 10 : 100;
  gr_u64 pairs = digits * 10 + (digits >> 8), keep = 0x000000ff000000ffull;
  return ((pairs & keep) * (w0 << 32 | w2) + (pairs >> 16 & keep) * (w1 << 32 | 1)) >> 32;
}

/* The `size` characters (0..8) at `text` as digits, right-aligned behind zeroes. */
GR_INLINE gr_u64 gr_right_aligned(const gr_u8* text, gr_u64 size) {
  gr_u64 digits = gr_load8(text) ^ GR_REPEAT('0');
  gr_u64 shift = (64 - 8 * size) & 63;
  return (digits << shift) & (0 - gr_is_nonzero(size));
}

GR_INLINE gr_u64 gr_at_most_8(gr_u64 n) {
  return (gr_u64)gr_choose(gr_is_less_near((gr_s64)n, 8), (gr_s64)n, 8);
}

/* A run of at most 18 digits; worker->number_flags becomes GR_FLAG_ESCAPE if there is anything
 * else. */
GR_SUBPROGRAM gr_u64 gr_long_digits(struct gr_worker* worker, gr_u64 at, gr_u64 size) {
  GR_PROVE(worker);
  gr_u64 low = gr_at_most_8(size), middle = gr_at_most_8(size - low), high = size - low - middle;
  gr_u64 digits = gr_right_aligned(worker->data + gr_in_data(at), high);
  gr_u64 bad = gr_not_digits(digits);
  gr_u64 value = gr_eight_digits(digits) * 100000000;
  digits = gr_right_aligned(worker->data + gr_in_data(at + high), middle);
  bad |= gr_not_digits(digits);
  value = (value + gr_eight_digits(digits)) * 100000000;
  digits = gr_right_aligned(worker->data + gr_in_data(at + high + middle), low);
  bad |= gr_not_digits(digits);
  if (bad) worker->number_flags = GR_FLAG_ESCAPE;
  return value + gr_eight_digits(digits);
}

/* Any integer or decimal: optional '-', at most 18 digits, a point. The value is the result, the
 * flags are left in worker->number_flags. `form`: integer digits that fit, and scale. */
GR_SUBPROGRAM gr_s64 gr_slow_number(struct gr_worker* worker, gr_u64 at, gr_u64 size, gr_u32 form) {
  GR_PROVE(worker);
  gr_u64 integer_digits = form >> 8, scale = form & 255;
  worker->number_flags = size ? GR_FLAG_ESCAPE : GR_FLAG_NULL;
  if (!size || size > 20 || scale > 18) return 0;
  gr_u64 negative = worker->data[gr_in_data(at)] == '-';
  at += negative;
  size -= negative;
  const gr_u8* text = worker->data + gr_in_data(at);
  gr_u64 points = gr_transpose((gr_equal_bytes(gr_load8(text), GR_REPEAT('.')) >> 7) |
                               (gr_equal_bytes(gr_load8(text + 8), GR_REPEAT('.')) >> 6) |
                               (gr_equal_bytes(gr_load8(text + 16), GR_REPEAT('.')) >> 5));
  gr_u64 whole = points ? gr_trailing_zeroes(points) : 24;
  gr_u64 fraction = 0;
  if (whole < size)
    fraction = size - whole - 1;
  else
    whole = size;
  if (whole > integer_digits || whole + scale > 18 || fraction > scale || whole + fraction == 0)
    return 0;
  worker->number_flags = 0;
  gr_u64 value = gr_long_digits(worker, at, whole) * gr_powers_of_ten[scale & 31];
  if (fraction)
    value += gr_long_digits(worker, at + whole + 1, fraction) *
             gr_powers_of_ten[(scale - fraction) & 31];
  return negative ? 0 - value : value;
}

/* In line: up to eight characters, no sign, and for decimals either no point or one in front of
 * exactly `scale` digits. Nonzero if it is anything else. `scale` and `integer_digits` are
 * constants. */
GR_INLINE gr_u64 gr_is_no_short_number(const struct gr_span* span, gr_u32 integer_digits,
                                       gr_u32 scale, gr_u64* value) {
  gr_u64 shift = (64 - 8 * span->size) & 63;
  gr_u64 digits = (gr_load8(span->text) ^ GR_REPEAT('0')) << shift;
  gr_u64 point_at = 8 * (7 - scale), point = '.' ^ '0';
  if (scale > 6) return *value = 1;
  if (scale && (digits >> point_at & 0xff) == point) {
    /* A column's values have a point or have none: this branch is well predicted. */
    digits ^= point << point_at;
    *value = gr_seven_digits(digits, scale);
  } else {
    *value = gr_seven_digits(digits, 0) * gr_powers_of_ten[scale & 31];
  }
  gr_u64 bad = gr_not_digits(digits) | (span->size - 1) >> 3;
  if (integer_digits < 8) bad |= gr_is_below(*value, gr_powers_of_ten[integer_digits + scale]) ^ 1;
  return bad;
}

GR_INLINE gr_u64 gr_number(struct gr_worker* worker, const struct gr_span* span,
                           gr_u32 integer_digits, gr_u32 scale, gr_s64* value) {
  if (gr_is_no_short_number(span, integer_digits, scale, (gr_u64*)value))
    *value = gr_slow_number(worker, span->at, span->size, integer_digits << 8 | scale);
  else
    GR_IN_MEMORY(worker->number_flags) = 0;
  return GR_IN_MEMORY(worker->number_flags);
}

/* The same for the first pass, to which a NULL is an escape. */
GR_INLINE gr_u64 gr_present_number(struct gr_worker* worker, const struct gr_span* span,
                                   gr_u32 integer_digits, gr_u32 scale, gr_s64* value) {
  if (GR_LIKELY(!gr_is_no_short_number(span, integer_digits, scale, (gr_u64*)value))) return 0;
  *value = gr_slow_number(worker, span->at, span->size, integer_digits << 8 | scale);
  return worker->number_flags ? GR_FLAG_ESCAPE : 0;
}

/* --- Dates --- */

/* Days of a month, both numbers as two decimal digits in nibbles; 0 for what is no month. February
 * has 28: the 29th is looked at apart. */
static const gr_u8 gr_month_days[256] = {
    [0x01] = 0x31, [0x02] = 0x28, [0x03] = 0x31, [0x04] = 0x30, [0x05] = 0x31, [0x06] = 0x30,
    [0x07] = 0x31, [0x08] = 0x31, [0x09] = 0x30, [0x10] = 0x31, [0x11] = 0x30, [0x12] = 0x31};

GR_INLINE gr_u64 gr_two_digits(gr_u64 high_first) { /* bytes: tens, ones */
  return (high_first >> 8 & 0xff) * 10 + (high_first & 0xff);
}

/* 0 for the 29th of February of a leap year, else GR_FLAG_ESCAPE. `key`: see gr_date_order_key. */
GR_SUBPROGRAM gr_u64 gr_is_no_leap_day(gr_u64 key) {
  gr_u64 century = gr_two_digits(key >> 48), year = gr_two_digits(key >> 32);
  if ((key & 0xffffffffull) != 0x00000229) return GR_FLAG_ESCAPE;
  return (year ? year : century) & 3 ? GR_FLAG_ESCAPE : 0;
}

GR_INLINE gr_u64 gr_date_key(const struct gr_span* span, gr_s64* key) {
  const gr_u8* text = span->text;
  gr_u64 start = gr_load8(text) ^ 0x2d30302d30303030ull; /* "0000-00-" */
  gr_u64 end = *(const gr_u16*)(text + 8) ^ 0x3030ull;
  gr_u64 bad = (((start + 0x7f76767f76767676ull) | start) & GR_HIGH) |
               (((end + 0x7676) | end) & 0x8080) | (span->size ^ 10);
  gr_u64 order = __builtin_bswap64(start) | (end & 0xff) << 4 | end >> 8;
  *key = order;
  gr_u64 month = (order >> 12 & 0xf0) | (order >> 8 & 0x0f);
  GR_OPAQUE(month); /* the verifier of 6.1 wants the bound right before the use */
  gr_u64 days = gr_month_days[month & 0xff];
  gr_u64 day = order & 0xff;
  if (bad) return span->size ? GR_FLAG_ESCAPE : GR_FLAG_NULL;
  if ((gr_s64)((day - 1) | (days - day)) < 0) return gr_is_no_leap_day(order);
  return 0;
}

/* Days since 1970-01-01 of a valid date's key (H. Hinnant, days_from_civil; years 0..9999). */
GR_INLINE gr_s64 gr_days_of_key(gr_u64 key) {
  gr_u64 year = gr_two_digits(key >> 48) * 100 + gr_two_digits(key >> 32);
  gr_u64 month = gr_two_digits(key >> 8), day = (key >> 4 & 15) * 10 + (key & 15);
  gr_u64 early = gr_sign(month - 3); /* January, February: of the year before */
  year += 400 - early;               /* one era more: stays positive */
  gr_u64 era = year / 400, year_of_era = year - era * 400;
  gr_u64 day_of_year = (153 * (month + 12 * early - 3) + 2) / 5 + day - 1;
  return (gr_s64)(era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
                  day_of_year) -
         719468 - 146097;
}

/* --- Booleans --- */

GR_INLINE gr_u64 gr_boolean(const struct gr_span* span, gr_s64* value) {
  *value = 0;
  gr_u64 size = span->size;
  if (size - 1 > 4) return size ? GR_FLAG_ESCAPE : GR_FLAG_NULL;
  gr_u64 keep = ~0ull >> (64 - 8 * size & 63);
  gr_u64 text = gr_load8(span->text) & keep;
  gr_u64 lower = text | (GR_REPEAT(0x20) & keep);
  if (text == '1' || lower == 't' || lower == 'y' || lower == 0x65757274 /* true */ ||
      lower == 0x736579 /* yes */) {
    *value = 1;
    return 0;
  }
  if (text == '0' || lower == 'f' || lower == 'n' || lower == 0x65736c6166 /* false */ ||
      lower == 0x6f6e /* no */)
    return 0;
  return GR_FLAG_ESCAPE;
}

#endif
