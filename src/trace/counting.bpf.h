/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Charging: to the row of a process and a file, to histograms, and as events. */
#ifndef GRAPNEL_TRACE_COUNTING_BPF_H
#define GRAPNEL_TRACE_COUNTING_BPF_H

#include "trace/identity.bpf.h"

enum { GR_NO_WAKEUP = 1, GR_NOEXIST = 1 };

#define GR_ADD(place, value) __sync_fetch_and_add(&(place), value)

/* What is charged, and where its names are to be found. */
struct gr_subject {
  struct gr_count_key key;
  gr_u64 file, inode; /* addresses, or 0 */
};

GR_INLINE struct gr_counts* gr_find_row(const struct gr_control* control,
                                        const struct gr_count_key* key) {
  if (control->turn & 1) return bpf_map_lookup_elem(&gr_counts_odd, key);
  return bpf_map_lookup_elem(&gr_counts_even, key);
}

GR_SUBPROGRAM int gr_make_row(struct gr_count_key* key) {
  GR_PROVE(key);
  struct gr_count_key copy = *key;
  gr_u32 zero = 0;
  struct gr_counts* none = bpf_map_lookup_elem(&gr_no_counts, &zero);
  struct gr_control* control = gr_control();
  if (!control || !none) return 0;
  if (control->turn & 1)
    bpf_map_update_elem(&gr_counts_odd, &copy, none, GR_NOEXIST);
  else
    bpf_map_update_elem(&gr_counts_even, &copy, none, GR_NOEXIST);
  return 0;
}

/* A row that was not there: made; where there is no room, what all others share. NULL: never. */
GR_INLINE struct gr_counts* gr_new_row(const struct gr_control* control, struct gr_count_key* key) {
  gr_make_row(key);
  struct gr_counts* counts = gr_find_row(control, key);
  if (counts) return counts;
  struct gr_tally* tally = gr_tally();
  if (!tally) return 0;
  GR_ADD(tally->lost_counts, 1);
  return &tally->others;
}

GR_INLINE void gr_count_event(const struct gr_control* control, const struct gr_file_id* file) {
  if (gr_is_chosen(control, file)) GR_TALLY(events);
}

/* The row, made if need be. NULL: never. */
GR_INLINE struct gr_counts* gr_row(struct gr_count_key* key) {
  struct gr_control* control = gr_control();
  if (!control) return 0;
  gr_count_event(control, &key->file);
  struct gr_counts* counts = gr_find_row(control, key);
  return counts ? counts : gr_new_row(control, key);
}

/* The same for the calling process: names are taken at first sight, which in every interval is the
 * first time that the row is needed. */
GR_INLINE struct gr_counts* gr_own_row(struct gr_subject* subject) {
  struct gr_control* control = gr_control();
  if (!control) return 0;
  gr_count_event(control, &subject->key.file);
  struct gr_counts* counts = gr_find_row(control, &subject->key);
  if (counts) return counts;
  gr_see_process(&subject->key.process, 0);
  gr_see_file(&subject->key.file, subject->file, subject->inode, 0);
  return gr_new_row(control, &subject->key);
}

GR_INLINE gr_u32 gr_log2(gr_u64 value) {
  gr_u32 log = 0;
#pragma unroll
  for (gr_u32 step = 32; step; step >>= 1) {
    if (value >> step) {
      value >>= step;
      log += step;
    }
  }
  return log;
}

GR_INLINE void gr_note_latency(const struct gr_file_id* file, gr_u32 layer, gr_u64 ns) {
  struct gr_tally* tally = gr_tally();
  struct gr_control* control = gr_control();
  gr_u64 bucket = gr_log2(ns);
  if (bucket >= GR_LATENCY_BUCKETS) bucket = GR_LATENCY_BUCKETS - 1;
  if (!tally || !control || !gr_is_chosen(control, file)) return;
  GR_OPAQUE(bucket);
  if (bucket < GR_LATENCY_BUCKETS) GR_ADD(tally->latency[layer][bucket], 1);
}

/* Nobody is woken: user space looks by itself often enough for the ring, which costs less. */
GR_INLINE int gr_send(struct gr_event* event) {
  struct gr_control* control = gr_control();
  if (!control || !control->events) return 0;
  if (bpf_ringbuf_output(&gr_ring, event, sizeof *event, GR_NO_WAKEUP)) GR_TALLY(lost_events);
  return 0;
}

GR_INLINE gr_u64 gr_wants_events(void) {
  struct gr_control* control = gr_control();
  return control && control->events;
}

#endif
