/* Text -> value: the fast forms, straight-line code for what numbers and dates look like nearly
 * always, and behind them plain loops for the rest of the spellings that are worth it. What those
 * do not take escapes. Meaning: op/parse_text.cpp.
 *
 * All may read 16 bytes from the start of a field (the block has slack). */
#ifndef GRAPNEL_LOWER_NATIVE_VALUES_H
#define GRAPNEL_LOWER_NATIVE_VALUES_H

#include "lower/native/vector.h"

/* What the slow forms return, in two registers: a pointer to the value would keep it in memory for
 * the fast form too. */
struct gr_parsed {
  gr_u64 flags;
  gr_s64 value;
};
GR_INLINE struct gr_parsed gr_parsed_flags(gr_u64 flags) { return (struct gr_parsed){flags, 0}; }
GR_INLINE gr_u64 gr_take(struct gr_parsed parsed, gr_s64* value) {
  *value = parsed.value;
  return parsed.flags;
}

static const gr_u64 gr_power_of_ten[19] = {1,
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

/* [quote] [sign] digits [. digits] [quote], at most 18 digits without leading zeroes, none lost by
 * `scale`. The value is scaled. Empty (also between quotes): NULL. */
GR_COLD struct gr_parsed gr_number_slow(const gr_u8* p, gr_u64 size, gr_u32 scale, gr_u32 quote) {
  if (quote != 0 && size >= 2 && p[0] == quote && p[size - 1] == quote) {
    p++;
    size -= 2;
  }
  if (size == 0) return gr_parsed_flags(GR_FLAG_NULL);
  gr_u64 negative = p[0] == '-';
  gr_u64 i = negative || p[0] == '+';
  gr_u64 digits = 0, significant = 0, fraction = 0, point = 0;
  gr_u64 result = 0;
  for (; i < size; i++) {
    gr_u8 c = p[i];
    if (c == '.') {
      if (point) return gr_parsed_flags(GR_FLAG_ESCAPE);
      point = 1;
      continue;
    }
    if ((gr_u8)(c - '0') > 9) return gr_parsed_flags(GR_FLAG_ESCAPE);
    digits++;
    fraction += point;
    result = result * 10 + (gr_u64)(c - '0');
    significant += result != 0;
    if (significant > 18 || fraction > scale) return gr_parsed_flags(GR_FLAG_ESCAPE);
  }
  gr_u64 missing = scale - fraction;
  if (digits == 0 || significant + missing > 18) return gr_parsed_flags(GR_FLAG_ESCAPE);
  result *= gr_power_of_ten[missing];
  return (struct gr_parsed){0, (gr_s64)(negative ? 0 - result : result)};
}

#ifdef __SSSE3__

/* ramp + n is a shuffle that moves n bytes to the end of a register and zeroes the rest. */
static const gr_u8 gr_ramp[32] = {0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
                                  0xFB, 0xFC, 0xFD, 0xFE, 0xFF, 0,    1,    2,    3,    4,    5,
                                  6,    7,    8,    9,    10,   11,   12,   13,   14,   15};

/* 16 digits (as bytes 0..9, most significant first) to a number. *bad is not 0 if one is none. */
GR_INLINE gr_u64 gr_digits16(__m128i x, gr_u64* bad) {
  const __m128i nine = _mm_set1_epi8(9);
#ifdef __AVX512BW__
  *bad = _mm_cmpgt_epu8_mask(x, nine);
#else
  *bad = (gr_u32)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(x, nine), nine)) ^ 0xFFFFu;
#endif
  const __m128i tens = _mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1);
  const __m128i hundreds = _mm_setr_epi16(100, 1, 100, 1, 100, 1, 100, 1);
  const __m128i myriads = _mm_setr_epi16(10000, 1, 10000, 1, 10000, 1, 10000, 1);
  x = _mm_maddubs_epi16(x, tens);
  x = _mm_madd_epi16(x, hundreds);
  x = _mm_packus_epi32(x, x);
  x = _mm_madd_epi16(x, myriads);
  gr_u64 halves = (gr_u64)_mm_cvtsi128_si64(x);
  return (gr_u32)halves * (gr_u64)100000000 + (halves >> 32);
}

/* The number in n bytes, 1..16, of which one may be a point in front of the last `scale` digits.
 * `pointed`: 1 if it is there. */
GR_INLINE gr_u64 gr_digits(const gr_u8* p, gr_u64 n, gr_u32 scale, gr_u64 pointed, gr_u64* bad) {
  __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i*)p), _mm_set1_epi8('0'));
  __m128i shuffle = _mm_loadu_si128((const __m128i*)(gr_ramp + n));
  if (scale != 0) {
    /* Digits in front of the point are one byte further left. */
    gr_u8 step[16];
    for (gr_u32 i = 0; i < 16; i++) step[i] = i + scale < 16 ? 0xFF : 0;
    __m128i left = _mm_loadu_si128((const __m128i*)step);
    shuffle = _mm_add_epi8(shuffle, _mm_and_si128(left, _mm_set1_epi8((char)(0 - pointed))));
  }
  return gr_digits16(_mm_shuffle_epi8(x, shuffle), bad);
}

#else

/* 8 digits as bytes 0..9 in memory order. */
GR_INLINE gr_u64 gr_digits8(gr_u64 x) {
  x = (x * 10 + (x >> 8)) & 0x00FF00FF00FF00FF;
  x = (x * 100 + (x >> 16)) & 0x0000FFFF0000FFFF;
  return (x * 10000 + (x >> 32)) & 0xFFFFFFFF;
}
GR_INLINE gr_u64 gr_not_digits(gr_u64 x) {
  return (x | (x + 0x7676767676767676)) & 0x8080808080808080;
}

GR_INLINE gr_u64 gr_digits(const gr_u8* p, gr_u64 n, gr_u32 scale, gr_u64 pointed, gr_u64* bad) {
  /* low: the last 8 bytes; high: those in front of them. Missing ones become zeroes. */
  const gr_u64 zeroes = 0x3030303030303030;
  gr_u64 first = gr_word(p) ^ zeroes, second = gr_word(p + 8) ^ zeroes;
  gr_u64 low, high;
  if (n <= 8) {
    low = first << ((64 - 8 * n) & 63);
    high = 0;
  } else {
    gr_u64 shift = (128 - 8 * n) & 63; /* n = 16: 0 */
    low = shift == 0 ? second : second << shift | first >> (64 - shift);
    high = first << shift;
  }
  if (scale != 0 && pointed) {
    /* Take the point out of low (scale < 8) or of high, moving what is in front of it up. */
    if (scale < 8) {
      gr_u64 behind = ~(gr_u64)0 << (64 - 8 * scale);
      gr_u64 front = low << 8 | high >> 56;
      low = (low & behind) | (front & ~behind);
      high <<= 8;
    } else {
      gr_u64 behind_high = scale == 8 ? 0 : ~(gr_u64)0 << (64 - 8 * ((scale - 8) & 7));
      high = (high & behind_high) | ((high << 8) & ~behind_high);
    }
  }
  *bad = gr_not_digits(low) | gr_not_digits(high);
  return gr_digits8(high) * 100000000 + gr_digits8(low);
}

#endif

GR_INLINE gr_u64 gr_parse_integer(const gr_u8* p, gr_u64 n, gr_u32 quote, gr_s64* value) {
  gr_u64 negative = *p == '-';
  gr_u64 size = n - negative, bad;
  if (GR_UNLIKELY(size - 1 > 15)) return gr_take(gr_number_slow(p, n, 0, quote), value);
  gr_u64 magnitude = gr_digits(p + negative, size, 0, 0, &bad);
  if (GR_UNLIKELY(bad)) return gr_take(gr_number_slow(p, n, 0, quote), value);
  *value = (gr_s64)((magnitude ^ (0 - negative)) + negative);
  return 0;
}

/* Checks the digits in front of the point against the type. */
GR_INLINE gr_u64 gr_fits(gr_s64 value, gr_u32 precision) {
  if (precision >= 18) return 1;
  gr_u64 limit = gr_power_of_ten[precision];
  return (gr_u64)value + limit - 1 < 2 * limit - 1;
}

GR_COLD struct gr_parsed gr_decimal_slow(const gr_u8* p, gr_u64 n, gr_u32 precision, gr_u32 scale,
                                         gr_u32 quote) {
  if (scale > 18) return gr_parsed_flags(GR_FLAG_ESCAPE);
  struct gr_parsed parsed = gr_number_slow(p, n, scale, quote);
  if (parsed.flags == 0 && !gr_fits(parsed.value, precision)) parsed.flags = GR_FLAG_ESCAPE;
  return parsed;
}

GR_INLINE gr_u64 gr_parse_decimal(const gr_u8* p, gr_u64 n, gr_u32 precision, gr_u32 scale,
                                  gr_u32 quote, gr_s64* value) {
  gr_u64 negative = *p == '-';
  gr_u64 size = n - negative, bad;
  /* Without a point `scale` zeroes are appended: there must be room for them in 18 digits. */
  gr_u64 most_unpointed = scale < 18 ? 18 - scale : 0;
  if (GR_UNLIKELY(scale > 15 || size - 1 > 15))
    return gr_take(gr_decimal_slow(p, n, precision, scale, quote), value);
  const gr_u8* q = p + negative;
  gr_u64 pointed = scale != 0 && size > scale + 1 && q[size > scale ? size - 1 - scale : 0] == '.';
  gr_u64 magnitude = gr_digits(q, size, scale, pointed, &bad);
  bad |= !pointed & (size > most_unpointed);
  magnitude *= pointed ? 1 : gr_power_of_ten[scale < 18 ? scale : 0];
  gr_s64 result = (gr_s64)((magnitude ^ (0 - negative)) + negative);
  if (GR_UNLIKELY(bad || !gr_fits(result, precision)))
    return gr_take(gr_decimal_slow(p, n, precision, scale, quote), value);
  *value = result;
  return 0;
}

/* --- dates ------------------------------------------------------------------------------------ */

/* By the month's digits in nibbles, masked to 5 bits: last day of the month, in nibbles, 0 for what
 * is no month; 28 for February, whose 29th is a slow case. */
static const gr_u8 gr_last_day[32] = {0, 0x31, 0x28, 0x31, 0x30, 0x31, 0x30, 0x31, 0x31, 0x30,
                                      0, 0,    0,    0,    0,    0,    0x31, 0x30, 0x31};
/* Days of the year before the month. */
static const gr_u16 gr_days_before[32] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243,
                                          0, 0, 0,  0,  0,  0,   273, 304, 334};

GR_INLINE gr_u64 gr_date_year(gr_u64 key) {
  return (key >> 56 & 15) * 1000 + (key >> 48 & 15) * 100 + (key >> 40 & 15) * 10 +
         (key >> 32 & 15);
}
GR_INLINE gr_u64 gr_date_month_index(gr_u64 key) { return (key >> 12 | key >> 8) & 31; }
GR_INLINE gr_u64 gr_is_leap(gr_u64 year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The key of "YYYY-MM-DD" if it is of that form with a first digit of the month of 0 or 1; *bad is
 * not 0 otherwise. The day is not checked. */
GR_INLINE gr_u64 gr_date_key(const gr_u8* p, gr_u64 n, gr_u64* bad) {
  gr_u64 head = gr_word(p) ^ 0x2D30302D30303030; /* "0000-00-" */
  gr_u16 tail;
  __builtin_memcpy(&tail, p + 8, 2);
  gr_u64 day = tail ^ 0x3030u;
  /* A byte passes if adding its constant leaves the top bit clear: 0x76 digits, 0x7E 0 and 1, 0x7F
   * 0. */
  *bad = ((head | (head + 0x7F767E7F76767676)) & 0x8080808080808080) |
         ((day | (day + 0x7676)) & 0x8080) | (n ^ 10);
  return __builtin_bswap64(head) | (day << 4 & 0xF0) | day >> 8;
}

/* Empty, the 29th of February, or another spelling. */
GR_COLD struct gr_parsed gr_date_slow(const gr_u8* p, gr_u64 n, gr_u32 quote) {
  if (quote != 0 && n >= 2 && p[0] == quote && p[n - 1] == quote) {
    p++;
    n -= 2;
  }
  if (n == 0) return gr_parsed_flags(GR_FLAG_NULL);
  if (n != 10) return gr_parsed_flags(GR_FLAG_ESCAPE);
  gr_u64 bad, k = gr_date_key(p, n, &bad);
  gr_u64 day = k & 0xFF, last = gr_last_day[gr_date_month_index(k)];
  if (last == 0x28 && gr_is_leap(gr_date_year(k))) last = 0x29;
  if (bad || day == 0 || day > last) return gr_parsed_flags(GR_FLAG_ESCAPE);
  return (struct gr_parsed){0, (gr_s64)k};
}

GR_INLINE gr_u64 gr_parse_date_order(const gr_u8* p, gr_u64 n, gr_u32 quote, gr_s64* key) {
  gr_u64 bad, k = gr_date_key(p, n, &bad);
  gr_u8 day_from_0 = (gr_u8)(k - 1);
  if (GR_UNLIKELY(bad != 0 || day_from_0 >= gr_last_day[gr_date_month_index(k)]))
    return gr_take(gr_date_slow(p, n, quote), key);
  *key = (gr_s64)k;
  return 0;
}

GR_INLINE gr_s64 gr_date_days(gr_s64 key) {
  gr_u64 k = (gr_u64)key;
  gr_u64 year = gr_date_year(k), month = gr_date_month_index(k);
  gr_u64 day = (k >> 4 & 15) * 10 + (k & 15);
  /* Leap days of the years before; those of this year only from March on. */
  gr_u64 y = year - (month < 3 ? 1 : 0) + 400; /* years 0 and before stay positive */
  gr_u64 leaps = y / 4 - y / 100 + y / 400;
  return (gr_s64)(365 * year + leaps + gr_days_before[month] + day) - 719528 - 97;
}

/* --- the rest --------------------------------------------------------------------------------- */

GR_INLINE gr_u8 gr_lower(gr_u8 c) { return (gr_u8)(c - 'A') < 26 ? (gr_u8)(c | 0x20) : c; }

/* true/false, t/f, 1/0 in any case; yes, no escape. */
GR_INLINE gr_u64 gr_parse_boolean(const gr_u8* p, gr_u64 n, gr_s64* value) {
  *value = 0;
  if (n == 0) return GR_FLAG_NULL;
  gr_u64 head =
      (gr_word(p) | 0x2020202020202020) & (n >= 8 ? ~(gr_u64)0 : ((gr_u64)1 << 8 * n) - 1);
  const gr_u64 true_text = 0x65757274, false_text = 0x65736C6166;
  *value = (n == 4 && head == true_text) || (n == 1 && (head == 't' || p[0] == '1'));
  gr_u64 is_false = (n == 5 && head == false_text) || (n == 1 && (head == 'f' || p[0] == '0'));
  return *value || is_false ? 0 : (gr_u64)GR_FLAG_ESCAPE;
}

/* [-] digits [. digits], at most 15 digits, at most 22 behind the point: then value and power of
 * ten are exact doubles and one division rounds right (W. D. Clinger, 1990). Else 1: not done. */
GR_INLINE gr_u64 gr_parse_double_simple(const gr_u8* p, gr_u64 n, double* value) {
  static const double power[16] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  gr_u64 negative = n != 0 && p[0] == '-', i = negative;
  gr_u64 mantissa = 0, digits = 0, fraction = 0, point = 0;
  if (n > 18) return 1;
  for (; i < n; i++) {
    if (p[i] == '.' && !point) {
      point = 1;
      continue;
    }
    gr_u8 digit = (gr_u8)(p[i] - '0');
    if (digit > 9) return 1;
    mantissa = mantissa * 10 + digit;
    digits++;
    fraction += point;
  }
  if (digits == 0 || digits > 15) return 1;
  double result = (double)mantissa / power[fraction];
  *value = negative ? -result : result;
  return 0;
}

#endif
