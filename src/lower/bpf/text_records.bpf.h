/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Stage 2: the op on each record of a page whose ends are known (record_ends.bpf.h). Shared by the
 * templates of text; each says how one record is done. */
#ifndef GRAPNEL_LOWER_BPF_TEXT_RECORDS_BPF_H
#define GRAPNEL_LOWER_BPF_TEXT_RECORDS_BPF_H

#include "lower/bpf/groups.bpf.h"
#include "lower/bpf/record_ends.bpf.h"
#include "lower/bpf/text_tests.bpf.h"

/* Where the loop is lies in the worker's next_end (index in worker->ends) and row_begin: see
 * GR_IN_MEMORY. */
struct gr_records {
  struct gr_worker* worker;
  struct gr_group_area* area;
};

/* The template's: the op on the record of `size` bytes at data + begin; its outcome. */
GR_INLINE gr_u64 gr_do_record(struct gr_records* r, gr_u64 begin, gr_u64 size);
/* The template's: 1 if lines of no bytes are no records. */
GR_INLINE gr_u64 gr_skips_blank_lines(void);

/* 1: stop. */
GR_INLINE long gr_settle(struct gr_worker* worker, gr_u64 outcome, gr_u64 begin, gr_u64 size) {
  if (outcome == GR_DONE) return 0;
  gr_hand_out(worker, begin, size, outcome == GR_SELECT ? GR_OUT_SELECTED : GR_OUT_ESCAPED);
  return worker->status != GR_STATUS_OK;
}

/* 1: stop. */
GR_INLINE long gr_do_next_record(struct gr_records* r) {
  struct gr_worker* worker = r->worker;
  gr_u64 next = GR_IN_MEMORY(worker->next_end), begin = GR_IN_MEMORY(worker->row_begin);
  if (next >= GR_IN_MEMORY(worker->end_count)) return 1;
  gr_u64 k = next & (GR_MAX_ENDS - 1);
  GR_OPAQUE(k);
  gr_u64 end = worker->ends[k];
  GR_IN_MEMORY(worker->next_end) = next + 1;
  GR_IN_MEMORY(worker->row_begin) = end + 1;
  gr_u64 size = end - begin;
  const gr_u8* text = worker->data + gr_in_page(end);
  /* Of a file's lines all end with a CR, or none. */
  if (GR_UNLIKELY(text[-1] == '\r')) size -= gr_is_nonzero(size);
  if (gr_skips_blank_lines() && GR_UNLIKELY(!size)) {
    worker->records--;
    return 0;
  }
  return gr_settle(worker, gr_do_record(r, begin, size), begin, size);
}

GR_INLINE gr_u64 gr_rounds(void) {
  gr_u64 nodes = gr_shape(GR_SHAPE_NODES, 0);
  return nodes <= 24 ? 4 : nodes <= 40 ? 2 : 1;
}

static long gr_next_records(gr_u64 i, struct gr_records* r) {
  GR_KEEP_LOOP
  for (gr_u32 k = 0; k < gr_rounds(); k++)
    if (gr_do_next_record(r)) return 1;
  return 0;
}

/* A record that was too long to carry ends in this page, if any record does. */
GR_SUBPROGRAM int gr_end_long_record(struct gr_worker* worker) {
  GR_PROVE(worker);
  gr_u64 end = worker->ends[0];
  gr_hand_out_long(worker, worker->long_begin, worker->file_offset + end - GR_PAGE_BYTES);
  worker->long_record = 0;
  worker->row_begin = end + 1;
  worker->next_end = 1;
  return 0;
}

GR_SUBPROGRAM int gr_do_records(struct gr_worker* worker) {
  GR_PROVE(worker);
  gr_u32 number = worker->number;
  struct gr_records r = {.worker = worker};
  if (gr_keys()) {
    r.area = bpf_map_lookup_elem(&gr_group_areas, &number);
    if (!r.area) return 0;
  }
  worker->row_begin = GR_PAGE_BYTES - worker->carry;
  worker->next_end = 0;
  if (worker->long_record && worker->end_count) gr_end_long_record(worker);
  bpf_loop(GR_MAX_ENDS, gr_next_records, &r, 0);
  if (worker->next_end != worker->end_count) gr_fail(worker, GR_STATUS_INCOMPLETE);
  worker->records += worker->next_end; /* blank ones are taken off where they are seen */
  worker->rest_begin = worker->row_begin;
  return 0;
}

#endif
