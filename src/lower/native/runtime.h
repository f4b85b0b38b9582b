/* What the native templates have in common: struct gr_run, parameters, text, groups, state. */
#ifndef GRAPNEL_LOWER_NATIVE_RUNTIME_H
#define GRAPNEL_LOWER_NATIVE_RUNTIME_H

#include "lower/native/native_abi.h"
#include "lower/native/vector.h"
#include "lower/op_math.h"

/* One per call of gr_scan_records; a local of it, so that the keys live in registers. */
struct gr_run {
  struct gr_scan* scan;
  const struct gr_parameters* parameters; /* the scan's */
  gr_u64 key_word[GR_MAX_KEYS];
  struct gr_text key_text[GR_MAX_KEYS];
  gr_u64 key_nulls;
  gr_u64 key_is_long; /* a text does not fit a word */
};

GR_INLINE void gr_begin_run(struct gr_run* run, struct gr_scan* scan) {
  run->scan = scan;
  run->parameters = scan->parameters;
}

/* --- constants -------------------------------------------------------------------------------- */

GR_TEMPLATE gr_u64 gr_parameter(struct gr_run* run, gr_u32 index) {
  return run->parameters->word[index];
}

GR_TEMPLATE void gr_text_parameter(struct gr_run* run, gr_u32 parameter, struct gr_text* text) {
  gr_u64 word = run->parameters->word[parameter];
  text->position = (gr_u64)(run->parameters->text + (word >> 32));
  text->length = (gr_u32)word;
}

/* --- text ------------------------------------------------------------------------------------- */

GR_INLINE const gr_u8* gr_text_bytes(const struct gr_text* text) {
  return (const gr_u8*)text->position;
}

/* Both may be read up to 7 bytes behind their end. */
GR_INLINE gr_u64 gr_equal_bytes(const gr_u8* a, const gr_u8* b, gr_u64 size) {
  for (; size > 8; a += 8, b += 8, size -= 8) {
    if (gr_word(a) != gr_word(b)) return 0;
  }
  if (size == 0) return 1;
  return (gr_word(a) ^ gr_word(b)) << (64 - 8 * size) == 0;
}

GR_TEMPLATE gr_u64 gr_text_equal(struct gr_run* run, const struct gr_text* text, gr_u32 parameter) {
  struct gr_text other;
  gr_text_parameter(run, parameter, &other);
  return text->length == other.length &&
         gr_equal_bytes(gr_text_bytes(text), gr_text_bytes(&other), other.length);
}
GR_TEMPLATE gr_u64 gr_text_starts_with(struct gr_run* run, const struct gr_text* text,
                                       gr_u32 parameter) {
  struct gr_text other;
  gr_text_parameter(run, parameter, &other);
  return text->length >= other.length &&
         gr_equal_bytes(gr_text_bytes(text), gr_text_bytes(&other), other.length);
}
GR_TEMPLATE gr_u64 gr_text_ends_with(struct gr_run* run, const struct gr_text* text,
                                     gr_u32 parameter) {
  struct gr_text other;
  gr_text_parameter(run, parameter, &other);
  return text->length >= other.length &&
         gr_equal_bytes(gr_text_bytes(text) + (text->length - other.length), gr_text_bytes(&other),
                        other.length);
}

/* Looks for the first and the last byte at their distance, 64 places at a time. */
static __attribute__((noinline)) gr_u64 gr_contains(const gr_u8* text, gr_u64 size,
                                                    const gr_u8* part, gr_u64 part_size) {
  if (part_size == 0) return 1;
  if (part_size > size) return 0;
  gr_u64 places = size - part_size + 1;
  for (gr_u64 i = 0; i < places; i += 64) {
    gr_u64 hits = gr_match(gr_load64(text + i), part[0]) &
                  gr_match(gr_load64(text + i + part_size - 1), part[part_size - 1]);
    if (places - i < 64) hits &= ((gr_u64)1 << (places - i)) - 1;
    for (; hits != 0; hits &= hits - 1) {
      if (gr_equal_bytes(text + i + gr_lowest(hits), part, part_size)) return 1;
    }
  }
  return 0;
}

GR_TEMPLATE gr_u64 gr_text_contains(struct gr_run* run, const struct gr_text* text,
                                    gr_u32 parameter) {
  struct gr_text other;
  gr_text_parameter(run, parameter, &other);
  return gr_contains(gr_text_bytes(text), text->length, gr_text_bytes(&other), other.length);
}

GR_TEMPLATE gr_u64 gr_text_like(struct gr_run* run, const struct gr_text* text, gr_u32 parameter,
                                gr_u32 escape) {
  struct gr_text copy = *text, pattern;
  gr_text_parameter(run, parameter, &pattern);
  return run->scan->services->like(&copy, gr_text_bytes(&pattern), pattern.length, escape);
}

static __attribute__((noinline)) gr_s64 gr_compare_bytes(const gr_u8* a, gr_u64 a_size,
                                                         const gr_u8* b, gr_u64 b_size) {
  gr_u64 size = a_size < b_size ? a_size : b_size;
  for (gr_u64 i = 0; i < size; i++) {
    if (a[i] != b[i]) return (gr_s64)a[i] - b[i];
  }
  return a_size < b_size ? -1 : a_size > b_size;
}
GR_TEMPLATE gr_s64 gr_text_compare(struct gr_run* run, const struct gr_text* a,
                                   const struct gr_text* b) {
  (void)run;
  return gr_compare_bytes(gr_text_bytes(a), a->length, gr_text_bytes(b), b->length);
}

/* --- groups ----------------------------------------------------------------------------------- */

GR_INLINE void gr_key_set(struct gr_run* run, gr_u32 index, gr_u64 word, gr_u64 is_null) {
  if (index == 0) run->key_nulls = run->key_is_long = 0;
  run->key_word[index] = word;
  run->key_nulls |= is_null << index;
}

GR_TEMPLATE void gr_key_int(struct gr_run* run, gr_u32 index, gr_s64 value, gr_u64 is_null) {
  gr_key_set(run, index, (gr_u64)value, is_null);
}
GR_TEMPLATE void gr_key_double(struct gr_run* run, gr_u32 index, double value, gr_u64 is_null) {
  /* One NaN, one zero, as state::encode_key has them. */
  gr_u64 bits = 0;
  if (value != value)
    bits = 0x7FF8000000000000;
  else if (value != 0)
    __builtin_memcpy(&bits, &value, 8);
  gr_key_set(run, index, is_null ? 0 : bits, is_null);
}
GR_TEMPLATE gr_u64 gr_key_text(struct gr_run* run, gr_u32 index, const struct gr_text* text,
                               gr_u64 is_null) {
  gr_u64 size = text->length;
  gr_u64 word = 0;
  if (GR_LIKELY(size != 0 && size < 8))
    word = (gr_word(gr_text_bytes(text)) << (64 - 8 * size)) >> (64 - 8 * size) | size << 56;
  gr_key_set(run, index, word, is_null);
  run->key_text[index] = *text;
  run->key_is_long |= size > 7;
  return 0;
}

#define GR_EACH_KEY                                                      \
  _Pragma("clang loop unroll(full)") for (gr_u32 i = 0; i < GR_MAX_KEYS; \
                                          i++) if (i < gr_shape(GR_SHAPE_KEYS, 0))

static __attribute__((noinline)) gr_u64* gr_find_group(struct gr_scan* scan,
                                                       const struct gr_key_value* keys) {
  return scan->services->find_group(scan->context, keys);
}

GR_INLINE gr_u64* gr_ask_for_group(struct gr_run* run) {
  struct gr_key_value keys[GR_MAX_KEYS];
  GR_EACH_KEY {
    keys[i].word = run->key_word[i];
    if (gr_shape(GR_SHAPE_KEY_KIND, i) == GR_KEY_TEXT) keys[i].text = run->key_text[i];
    keys[i].is_null = run->key_nulls >> i & 1;
  }
  return gr_find_group(run->scan, keys);
}

GR_TEMPLATE gr_u64* gr_group(struct gr_run* run) {
  if (GR_UNLIKELY(run->key_is_long)) return gr_ask_for_group(run);
  gr_u64 hash = run->key_nulls;
  GR_EACH_KEY {
    hash = (hash ^ run->key_word[i]) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  }
  struct gr_group_entry* entry =
      &run->scan->groups[(hash * 0xD6E8FEB86659FD93) >> 54 & (GR_GROUP_CACHE_ENTRIES - 1)];
  gr_u64 other = entry->word[GR_MAX_KEYS] ^ run->key_nulls;
  GR_EACH_KEY { other |= entry->word[i] ^ run->key_word[i]; }
  gr_u64* slots = (gr_u64*)entry->word[GR_MAX_KEYS + 1];
  if (GR_LIKELY(other == 0 && slots != 0)) return slots;
  slots = gr_ask_for_group(run);
  if (slots == 0) return 0;
  GR_EACH_KEY { entry->word[i] = run->key_word[i]; }
  entry->word[GR_MAX_KEYS] = run->key_nulls;
  entry->word[GR_MAX_KEYS + 1] = (gr_u64)slots;
  return slots;
}

/* --- state ------------------------------------------------------------------------------------ */

GR_TEMPLATE gr_u64* gr_state(struct gr_run* run) { return run->scan->slots; }

/* {n, accumulator words...} */
GR_TEMPLATE void gr_sum_double(struct gr_run* run, gr_u64* slots, gr_u32 slot, double value) {
  slots[slot]++;
  run->scan->services->sum_double(slots + slot + 1, value);
}
/* {string number, n} */
GR_TEMPLATE void gr_extreme_text(struct gr_run* run, gr_u64* slots, gr_u32 slot,
                                 const struct gr_text* text, gr_u32 is_max) {
  struct gr_text copy = *text;
  run->scan->services->extreme_text(run->scan->context, slots + slot, &copy, is_max);
}

#endif
