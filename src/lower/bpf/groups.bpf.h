/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* State of the op: one group, or a table of groups with linear probing, bounded, with keys of fixed
 * width. What finds no room escapes.
 *
 * An entry, in 64-bit words:
 *     mark        generation << 16 | bit i: key i is NULL; another generation: the entry is free
 *     heads       one word per key: the number, or for text its first 7 bytes and its length on top
 *     tails       per text key 4 words: all its bytes, padded with zeroes, only if one of the keys
 * has more than 7 (else they are not written and not compared) slots       the state
 * (state/layout.h) Heads decide for short keys, so the common case compares one word per key. A new
 * extent takes a new generation and so starts with an empty table; nothing has to be cleared. */
#ifndef GRAPNEL_LOWER_BPF_GROUPS_BPF_H
#define GRAPNEL_LOWER_BPF_GROUPS_BPF_H

#include "lower/bpf/values.bpf.h"

enum {
  GR_KEY_TAIL_WORDS = GR_BPF_TEXT_BYTES / 8,
  GR_SHORT_KEY_BYTES = 7,
  GR_PROBES_IN_LINE = 2,
  GR_PROBES = 64
};

/* What the op works with; a local of the record loop, so that it lies in registers. */
struct gr_run {
  struct gr_worker* worker;
  struct gr_group_area* area; /* NULL if the op has no keys */
  gr_u64 head[GR_MAX_KEYS];
  gr_u64 nulls;
  gr_u64 tail_hash; /* nonzero: a text key has more than 7 bytes */
};

/* Layout of an entry; all of these fold to constants when the op is linked. Until then the loops
 * below must stay loops: unrolled around calls of gr_shape they would make the template, and each
 * compilation, many times larger. */
GR_INLINE gr_u64 gr_keys(void) { return gr_shape(GR_SHAPE_KEYS, 0); }
GR_INLINE gr_u64 gr_tail_at(gr_u32 index) {
  gr_u64 text_keys = 0;
  for (gr_u32 i = 0; i < index; i++) text_keys += gr_shape(GR_SHAPE_KEY_KIND, i) == GR_KEY_TEXT;
  return 1 + gr_keys() + text_keys * GR_KEY_TAIL_WORDS;
}
GR_INLINE gr_u64 gr_slots_at(void) { return gr_tail_at(gr_keys()); }
GR_INLINE gr_u64 gr_entry_words(void) { return gr_slots_at() + gr_shape(GR_SHAPE_SLOTS, 0); }
/* Entries of the table: a power of two, as many as fit. */
GR_INLINE gr_u64 gr_capacity(void) {
  gr_u64 words = gr_entry_words(), capacity = GR_MAX_GROUPS;
  capacity = words > 1 << 4 ? capacity / 2 : capacity;
  capacity = words > 1 << 5 ? capacity / 2 : capacity;
  capacity = words > 1 << 6 ? capacity / 2 : capacity;
  capacity = words > 1 << 7 ? capacity / 2 : capacity;
  capacity = words > 1 << 8 ? capacity / 2 : capacity;
  return words > 1 << 9 ? 0 : capacity;
}

GR_INLINE gr_u64* gr_entry(struct gr_group_area* area, gr_u64 index) {
  index &= gr_capacity() - 1;
  GR_OPAQUE(index);
  return area->words + index * gr_entry_words();
}

GR_INLINE gr_u64 gr_mark(const struct gr_run* run) {
  return run->worker->generation << 16 | run->nulls;
}

GR_INLINE gr_u64 gr_hash(const struct gr_run* run) {
  gr_u64 hash = run->nulls;
  GR_UNROLL_LATER
  for (gr_u32 i = 0; i < gr_keys(); i++) {
    hash = (hash ^ run->head[i]) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
  }
  return hash;
}

/* Looks at one entry. 0: it is the group's. */
GR_INLINE gr_u64 gr_differs(const gr_u64* entry, const struct gr_run* run) {
  gr_u64 difference = entry[0] ^ gr_mark(run);
  GR_UNROLL_LATER
  for (gr_u32 i = 0; i < gr_keys(); i++) difference |= entry[1 + i] ^ run->head[i];
  return difference;
}

struct gr_probe {
  struct gr_worker* worker;
  struct gr_group_area* area;
};

/* The same on the key that lies in worker->key: mark, heads, tails. */
GR_INLINE gr_u64 gr_stored_key_differs(const gr_u64* entry, struct gr_worker* worker) {
  gr_u64 difference = 0;
  for (gr_u32 i = 0; i < 1 + gr_keys(); i++) difference |= entry[i] ^ worker->key[i];
  if (difference || !worker->long_keys) return difference;
  for (gr_u32 i = 1 + gr_keys(); i < gr_slots_at(); i++) difference |= entry[i] ^ worker->key[i];
  return difference;
}

GR_INLINE void gr_make_group(gr_u64* entry, struct gr_worker* worker) {
  for (gr_u32 i = 0; i < gr_slots_at(); i++) entry[i] = worker->key[i];
  for (gr_u32 i = gr_slots_at(); i < gr_entry_words(); i++) entry[i] = 0;
  entry[gr_slots_at()] = ~0ull; /* first offset */
}

static long gr_probe_one(gr_u64 i, struct gr_probe* p) {
  struct gr_worker* worker = p->worker;
  gr_u64 index = (worker->probe_at + i) & (gr_capacity() - 1);
  GR_OPAQUE(index);
  gr_u64* entry = p->area->words + index * gr_entry_words();
  if (entry[0] >> 16 != worker->generation) {
    if (worker->groups >= gr_capacity() / 4 * 3) return 1;
    gr_u64 n = worker->groups & (GR_MAX_GROUPS - 1);
    GR_OPAQUE(n);
    worker->group_list[n] = index;
    worker->groups++;
    gr_make_group(entry, worker);
  } else if (gr_stored_key_differs(entry, worker)) {
    return 0;
  }
  worker->probe_found = 1 + index;
  return 1;
}

/* Finds or makes the group of worker->key from `hash` on; 1 + index of its entry, or 0. */
GR_SUBPROGRAM gr_u64 gr_probe_on(struct gr_worker* worker, gr_u64 hash) {
  GR_PROVE(worker);
  gr_u32 number = worker->number;
  struct gr_probe p = {.worker = worker};
  p.area = bpf_map_lookup_elem(&gr_group_areas, &number);
  if (!p.area) return 0;
  worker->probe_at = hash;
  worker->probe_found = 0;
  bpf_loop(GR_PROBES, gr_probe_one, &p, 0);
  return worker->probe_found;
}

/* --- What the op calls (op_abi.h) --- */

GR_TEMPLATE gr_u64 gr_parameter(struct gr_run* run, gr_u32 index) {
  return run->worker->parameters.word[index];
}

GR_TEMPLATE gr_u64* gr_temporary(struct gr_run* run, gr_u32 index) {
  return run->worker->temporaries + index;
}

GR_TEMPLATE gr_u64* gr_state(struct gr_run* run) { return run->worker->state; }

GR_TEMPLATE void gr_key_int(struct gr_run* run, gr_u32 index, gr_s64 value, gr_u64 is_null) {
  run->head[index] = value;
  run->nulls |= is_null << index;
}

/* Bytes [8 * word, 8 * word + 8) of a text of `size` bytes, zeroes behind its end. */
GR_INLINE gr_u64 gr_text_word(const gr_u8* text, gr_u64 size, gr_u64 word) {
  gr_u64 rest = size - 8 * word;        /* wraps if there is nothing */
  gr_u64 keep = gr_sign(rest) - 1;      /* anything at all? */
  gr_u64 whole = gr_sign(rest - 8) - 1; /* 8 bytes or more? */
  gr_u64 part = (1ull << (8 * rest & 63)) - 1;
  return gr_load8(text + 8 * word) & keep & (whole | part);
}

/* Writes a long key's bytes to worker->key[tail_at...]; the result goes into the hash. */
GR_SUBPROGRAM gr_u64 gr_store_tail(struct gr_worker* worker, gr_u64 position, gr_u64 size,
                                   gr_u64 tail_at) {
  GR_PROVE(worker);
  const gr_u8* bytes = worker->data + gr_in_data(position);
  gr_u64 hash = 0;
  GR_KEEP_LOOP
  for (gr_u32 i = 0; i < GR_KEY_TAIL_WORDS; i++) {
    gr_u64 word = gr_text_word(bytes, size, i);
    gr_u64 at = (tail_at + i) & 127;
    GR_OPAQUE(at);
    if (at < sizeof worker->key / sizeof *worker->key) worker->key[at] = word;
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
  }
  return hash | 1;
}

GR_TEMPLATE gr_u64 gr_key_text(struct gr_run* run, gr_u32 index, const struct gr_text* text,
                               gr_u64 is_null) {
  gr_u64 size = text->length;
  const gr_u8* bytes = run->worker->data + gr_in_data(text->position);
  gr_u64 first = gr_load8(bytes);
  run->nulls |= is_null << index;
  if (size <= GR_SHORT_KEY_BYTES) {
    run->head[index] = (first & ((1ull << (8 * size & 63)) - 1)) | size << 56;
    return 0;
  }
  if (size > GR_BPF_TEXT_BYTES) return 1;
  run->head[index] = (first & (~0ull >> 8)) | size << 56;
  gr_u64 hash = gr_store_tail(run->worker, text->position, size, gr_tail_at(index));
  run->tail_hash = (run->tail_hash + hash) | 1;
  return 0;
}

/* Writes the key to worker->key. The tails of long keys are there already; those of short ones
 * beside them become zeroes. */
GR_INLINE void gr_store_key(struct gr_run* run) {
  struct gr_worker* worker = run->worker;
  worker->long_keys = run->tail_hash;
  worker->key[0] = gr_mark(run);
  GR_UNROLL_LATER
  for (gr_u32 i = 0; i < gr_keys(); i++) {
    worker->key[1 + i] = run->head[i];
    if (gr_shape(GR_SHAPE_KEY_KIND, i) != GR_KEY_TEXT || run->head[i] >> 56 > GR_SHORT_KEY_BYTES)
      continue;
    for (gr_u32 k = 0; k < GR_KEY_TAIL_WORDS; k++) worker->key[gr_tail_at(i) + k] = 0;
  }
}

GR_TEMPLATE gr_u64* gr_group(struct gr_run* run) {
  gr_u64 hash = gr_hash(run) + run->tail_hash;
  if (!run->tail_hash) {
#pragma unroll
    for (gr_u32 i = 0; i < GR_PROBES_IN_LINE; i++) {
      gr_u64* entry = gr_entry(run->area, hash + i);
      if (!gr_differs(entry, run)) return entry + gr_slots_at();
    }
  }
  gr_store_key(run);
  gr_u64 found = gr_probe_on(run->worker, hash);
  if (!found) return 0;
  return gr_entry(run->area, found - 1) + gr_slots_at();
}

#endif
