/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What all record templates share: maps, subprograms' conventions, handing records out. */
#ifndef GRAPNEL_LOWER_BPF_TEMPLATE_BPF_H
#define GRAPNEL_LOWER_BPF_TEMPLATE_BPF_H

#include "lower/bpf/anchor.bpf.h"
#include "lower/bpf/words.bpf.h"
#include "lower/op_abi.h"
#include "lower/op_math.h"

/* One element per worker. User space maps all of them, and sets the number before loading. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_worker);
} gr_workers SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_out_area);
} gr_out_areas SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_group_area);
} gr_group_areas SEC(".maps");

/* An offset in `data` that is known to lie in the page, for the verifier. */
GR_INLINE gr_u64 gr_in_page(gr_u64 at) {
  at &= GR_PAGE_BYTES - 1;
  GR_OPAQUE(at);
  return at + GR_PAGE_BYTES;
}

/* An offset that is known to lie in the carry or the page. */
GR_INLINE gr_u64 gr_in_data(gr_u64 at) {
  at &= 2 * GR_PAGE_BYTES - 1;
  GR_OPAQUE(at);
  return at;
}

/* The lanes (words.bpf.h) of a character in the 64 bytes at data + at, all of them below
 * 2 * GR_PAGE_BYTES or in the slack. */
GR_SUBPROGRAM gr_u64 gr_exact_lanes(struct gr_worker* worker, gr_u64 at, gr_u64 repeated) {
  GR_PROVE(worker);
  return gr_lanes_exact(worker->data + gr_in_data(at), repeated);
}

/* The same in line for text that is ASCII. `text` is data + at, as the caller has it. */
GR_INLINE gr_u64 gr_lanes(struct gr_worker* worker, const gr_u8* text, gr_u64 at, gr_u64 repeated) {
  gr_u64 all = 0;
  gr_u64 lanes = gr_lanes_ascii(text, ~0ull, repeated, &all);
  if (all & GR_HIGH) lanes = gr_exact_lanes(worker, at, repeated);
  return lanes;
}

/* Hands out the record of `bytes` bytes at data + begin. */
GR_SUBPROGRAM int gr_hand_out(struct gr_worker* worker, gr_u64 begin, gr_u64 bytes, gr_u32 kind) {
  GR_PROVE(worker);
  gr_u32 key = worker->number;
  struct gr_out_area* area = bpf_map_lookup_elem(&gr_out_areas, &key);
  gr_u64 used = worker->out_bytes;
  if (!area || used > GR_OUT_BYTES || bytes >= 2 * GR_PAGE_BYTES) {
    gr_fail(worker, GR_STATUS_OUT_FULL);
    return 0;
  }
  struct gr_out* out = (struct gr_out*)(area->bytes + used);
  out->file_offset = worker->file_offset + begin - GR_PAGE_BYTES;
  out->bytes = bytes;
  out->kind = kind;
  gr_u64 size = bytes & (2 * GR_PAGE_BYTES - 1);
  GR_OPAQUE(size);
  bpf_probe_read_kernel(out + 1, size, worker->data + gr_in_data(begin));
  worker->out_bytes = used + sizeof *out + ((bytes + 7) & ~7ull);
  return 0;
}

/* Hands out a record that is not in `data`: user space reads it. */
GR_SUBPROGRAM int gr_hand_out_long(struct gr_worker* worker, gr_u64 begin, gr_u64 end) {
  GR_PROVE(worker);
  gr_u32 key = worker->number;
  struct gr_out_area* area = bpf_map_lookup_elem(&gr_out_areas, &key);
  gr_u64 used = worker->out_bytes;
  if (!area || used > GR_OUT_BYTES || end - begin > 0xffffffffull) {
    gr_fail(worker, GR_STATUS_OUT_FULL);
    return 0;
  }
  struct gr_out* out = (struct gr_out*)(area->bytes + used);
  out->file_offset = begin;
  out->bytes = end - begin;
  out->kind = GR_OUT_LONG;
  worker->out_bytes = used + sizeof *out;
  return 0;
}

/* Moves the bytes of the unfinished record, from data + `begin` to the page's end, in front of the
 * next page. One that is too long to be carried is only remembered. */
GR_SUBPROGRAM int gr_carry_rest(struct gr_worker* worker, gr_u64 begin) {
  GR_PROVE(worker);
  gr_u64 end = GR_PAGE_BYTES + worker->page_bytes;
  gr_u64 rest = end - begin;
  if (rest > GR_PAGE_BYTES && !worker->long_record) {
    worker->long_record = 1;
    worker->long_begin = worker->file_offset + begin - GR_PAGE_BYTES;
  }
  worker->file_offset += worker->page_bytes;
  worker->bytes += worker->page_bytes;
  if (worker->long_record) rest = 0;
  worker->carry = rest;
  if (!rest) { /* but the byte in front of the next page is looked at beside quotes */
    worker->data[GR_PAGE_BYTES - 1] = worker->data[gr_in_page(worker->page_bytes - 1)];
    return 0;
  }
  gr_u64 to = (GR_PAGE_BYTES - rest) & (GR_PAGE_BYTES - 1);
  GR_OPAQUE(to);
  gr_u64 size = rest & (2 * GR_PAGE_BYTES - 1);
  GR_OPAQUE(size);
  bpf_probe_read_kernel(worker->data + to, size, worker->data + gr_in_data(begin));
  return 0;
}

/* --- What the anchor calls (anchor.bpf.h) --- */

/* The record template's: works off worker->page_bytes bytes at data + GR_PAGE_BYTES. */
GR_INLINE void gr_do_page(struct gr_worker* worker);

GR_TEMPLATE struct gr_worker* gr_worker_of(gr_u32 number) {
  return bpf_map_lookup_elem(&gr_workers, &number);
}

struct gr_segments {
  struct gr_worker* worker;
};

static long gr_do_segment(gr_u64 i, struct gr_segments* s) {
  struct gr_worker* worker = s->worker;
  gr_u64 n = i & (GR_MAX_SEGMENTS - 1);
  GR_OPAQUE(n);
  struct gr_segment* segment = &worker->segments[n];
  gr_u64 bytes = segment->bytes;
  if (bytes - 1 >= GR_PAGE_BYTES) return 0;
  worker->page_bytes = bytes;
  /* The verifier of 6.1 does not learn the bound from the comparison. */
  GR_OPAQUE(bytes);
  bytes &= 2 * GR_PAGE_BYTES - 1;
  gr_u64 copied = gr_copy_in(worker, worker->data + GR_PAGE_BYTES, bytes, segment);
  if (copied == GR_FAULTED) gr_fail(worker, GR_STATUS_FAULT);
  if (copied != GR_COPIED) return 1;
  gr_do_page(worker);
  return worker->status != GR_STATUS_OK;
}

GR_TEMPLATE int gr_do_segments(struct gr_worker* worker) {
  struct gr_segments s = {.worker = worker};
  gr_u64 begin_ns = bpf_ktime_get_ns();
  bpf_loop(worker->segment_count, gr_do_segment, &s, 0);
  gr_u64 run_ns = bpf_ktime_get_ns() - begin_ns;
  if (run_ns > worker->longest_run_ns) worker->longest_run_ns = run_ns;
  return 0;
}

#endif
