/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sets bits of pages, and rings the bell if the worker sleeps. */
#ifndef GRAPNEL_WATCH_MARKS_BPF_H
#define GRAPNEL_WATCH_MARKS_BPF_H

#include "hooks/kernel/bits.bpf.h"
#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"
#include "watch/board.h"

enum { GR_FORCE_WAKEUP = 2 /* flag of bpf_ringbuf_output */ };

/* Sizes are the loader's. */
#define GR_WATCH_MAP(name, value_type) \
  struct {                             \
    __uint(type, BPF_MAP_TYPE_ARRAY);  \
    __uint(map_flags, BPF_F_MMAPABLE); \
    __uint(max_entries, 1);            \
    __type(key, gr_u32);               \
    __type(value, value_type);         \
  } name SEC(".maps")

GR_WATCH_MAP(gr_control, struct gr_watch_control);
GR_WATCH_MAP(gr_files, struct gr_watch_file);
/* Of each slot's worth of each file: number of its slot + 1; 0: it has none yet. */
GR_WATCH_MAP(gr_directory, gr_u64);
GR_WATCH_MAP(gr_slots, struct gr_watch_slot);
GR_WATCH_MAP(gr_cpus, struct gr_watch_cpu);

/* Addresses in the kernel: not mapped. */
struct gr_addresses {
  gr_u64 only_mapping; /* of the watched file, if there is one alone: everybody asks here first */
  gr_u64 namespace;    /* of process numbers: the watching process's */
  gr_u64 namespace_level;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_addresses);
} gr_addresses SEC(".maps");

/* Which file is it? By what the kernel calls it: stat's numbers are others on some file systems. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, gr_u64);
  __type(value, gr_u32);
} gr_mappings SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, GR_WATCH_BELL_BYTES);
} gr_bell SEC(".maps");

GR_INLINE struct gr_watch_control* gr_get_control(void) {
  gr_u32 zero = 0;
  return bpf_map_lookup_elem(&gr_control, &zero);
}

GR_INLINE struct gr_addresses* gr_get_addresses(void) {
  gr_u32 zero = 0;
  return bpf_map_lookup_elem(&gr_addresses, &zero);
}

GR_INLINE struct gr_watch_file* gr_get_file(gr_u32 number) {
  return bpf_map_lookup_elem(&gr_files, &number);
}

/* A slot for pages that had none. Where two CPUs ask at once, one of two slots stays unused. */
GR_INLINE gr_u64 gr_new_slot(gr_u64* entry, gr_u32 file, gr_u64 chunk) {
  struct gr_watch_control* control = gr_get_control();
  if (!control || control->slots_used >= control->slots) return 0;
  gr_u64 number = __sync_fetch_and_add(&control->slots_used, 1);
  gr_u32 key = number;
  struct gr_watch_slot* slot = bpf_map_lookup_elem(&gr_slots, &key);
  if (!slot) return 0;
  slot->file = file;
  slot->first_page = chunk * GR_WATCH_SLOT_PAGES;
  gr_u64 before = __sync_val_compare_and_swap(entry, 0, number + 1);
  return before ? before : number + 1;
}

GR_INLINE struct gr_watch_slot* gr_find_slot(gr_u32 file, gr_u64 directory_begin, gr_u64 chunk) {
  gr_u32 key = directory_begin + chunk;
  gr_u64* entry = bpf_map_lookup_elem(&gr_directory, &key);
  if (!entry) return 0;
  gr_u64 number = GR_IN_MEMORY(*entry);
  if (!number) number = gr_new_slot(entry, file, chunk);
  if (!number) return 0;
  key = number - 1;
  return bpf_map_lookup_elem(&gr_slots, &key);
}

/* Pages to be marked; in, out. */
struct gr_marking {
  gr_u64 file;
  gr_u64 directory_begin;
  gr_u64 first, last;
  gr_u64 marked; /* out: pages that had no bit yet */
};

GR_INLINE void gr_lose(gr_u64 mask) {
  struct gr_watch_control* control = gr_get_control();
  if (control) __sync_fetch_and_add(&control->lost_pages, gr_count_bits(mask));
}

/* The i-th of the words that the pages lie in. */
static long gr_mark_word(gr_u64 i, struct gr_marking* m) {
  gr_u64 word = (m->first >> 6) + i, mask = ~0ull;
  if (word > m->last >> 6) return 1;
  if (i == 0) mask <<= m->first & 63;
  if (word == m->last >> 6) mask &= ~0ull >> (63 - (m->last & 63));
  struct gr_watch_slot* slot =
      gr_find_slot(m->file, m->directory_begin, word >> GR_WATCH_SLOT_WORD_BITS);
  if (!slot) {
    gr_lose(mask);
    return 0;
  }
  gr_u64 at = word;
  GR_OPAQUE(at);
  at &= GR_WATCH_SLOT_WORDS - 1;
  gr_u64* bits = &slot->words[at];
  if ((GR_IN_MEMORY(*bits) & mask) == mask) return 0;
  gr_u64 before = __sync_fetch_and_or(bits, mask);
  if (!(mask & ~before)) return 0;
  m->marked += gr_count_bits(mask & ~before);
  slot->fresh = 1;
  return 0;
}

GR_INLINE void gr_ring_bell(struct gr_watch_control* control) {
  if (!GR_IN_MEMORY(control->asleep)) return;
  if (!__sync_fetch_and_and(&control->asleep, 0)) return;
  gr_u64 ring = 1;
  bpf_ringbuf_output(&gr_bell, &ring, sizeof ring, GR_FORCE_WAKEUP);
}

/* Marks [first, last]; how many of them are new. */
GR_SUBPROGRAM gr_u64 gr_mark(gr_u32 number, gr_u64 first, gr_u64 last) {
  struct gr_watch_file* file = gr_get_file(number);
  struct gr_watch_control* control = gr_get_control();
  if (!file || !control || !file->pages) return 0;
  if (last >= file->pages) last = file->pages - 1;
  if (first > last) return 0;
  struct gr_marking m = {.file = number,
                         .directory_begin = file->directory_begin,
                         .first = first,
                         .last = last,
                         .marked = 0};
  gr_u64 words = (last >> 6) - (first >> 6) + 1;
  if (words > GR_WATCH_MOST_WORDS) words = GR_WATCH_MOST_WORDS;
  bpf_loop(words, gr_mark_word, &m, 0);
  if (!m.marked) return 0;
  file->fresh = 1;
  /* A full barrier: the worker sees the line above, or the bell sees that it sleeps. */
  __sync_fetch_and_add(&file->marked_pages, m.marked);
  gr_ring_bell(control);
  return m.marked;
}

#endif
