/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Template: packed records of fixed size, numbers in little endian. No record is larger
 * than a page (lowering.cpp sees to that), so one that crosses a page's end is carried. */
#include "lower/bpf/groups.bpf.h"

/* Apache-2.0 or GPL-2.0, at your choice; the kernel takes only names that it knows. */
char LICENSE[] SEC("license") = "GPL";

struct gr_row {
  struct gr_worker* worker;
  gr_u64 begin; /* in data */
};

GR_INLINE gr_u64 gr_record_bytes(void) { return gr_shape(GR_SHAPE_RECORD_BYTES, 0); }

/* The last place in data where a whole record can begin. */
GR_INLINE gr_u64 gr_last_begin(void) { return 2 * GR_PAGE_BYTES - gr_record_bytes(); }

/* --- What the op calls (op_abi.h) --- */

GR_TEMPLATE gr_u64 gr_row_offset(struct gr_row* row) {
  return row->worker->file_offset + row->begin - GR_PAGE_BYTES;
}

/* A field as a word of 64 bits; GR_FLAG_ESCAPE if it does not fit. Size and sign are constants. */
GR_TEMPLATE gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value) {
  const gr_u8* at = row->worker->data + row->begin + gr_shape(GR_SHAPE_FIELD_OFFSET, field);
  gr_u64 is_signed = gr_shape(GR_SHAPE_FIELD_SIGNED, field);
  switch (gr_shape(GR_SHAPE_FIELD_BYTES, field)) {
    case 1:
      *value = is_signed ? *(const signed char*)at : *at;
      return 0;
    case 2:
      *value = is_signed ? *(const short*)at : *(const gr_u16*)at;
      return 0;
    case 4:
      *value = is_signed ? (gr_s64) * (const int*)at : (gr_s64) * (const gr_u32*)at;
      return 0;
    case 8:
      *value = (gr_s64)gr_load8(at);
      return is_signed ? 0 : gr_sign((gr_u64)*value) * GR_FLAG_ESCAPE;
    default: /* 16 bytes */
      *value = (gr_s64)gr_load8(at);
      return gr_is_nonzero(gr_load8(at + 8) ^ (gr_u64)(*value >> 63)) * GR_FLAG_ESCAPE;
  }
}

GR_TEMPLATE gr_u64 gr_load_decimal(struct gr_row* row, gr_u32 field, gr_u32 precision, gr_u32 scale,
                                   gr_s64* value) {
  gr_u64 flags = gr_load_integer(row, field, value);
  if (precision > 18) return flags;
  gr_u64 bound = gr_powers_of_ten[precision & 31];
  return flags | (gr_is_below((gr_u64)*value + bound - 1, 2 * bound - 1) ^ 1) * GR_FLAG_ESCAPE;
}

GR_TEMPLATE gr_u64 gr_load_date(struct gr_row* row, gr_u32 field, gr_s64* days) {
  return gr_load_integer(row, field, days);
}

GR_TEMPLATE gr_u64 gr_load_boolean(struct gr_row* row, gr_u32 field, gr_s64* value) {
  *value = gr_is_nonzero(row->worker->data[row->begin + gr_shape(GR_SHAPE_FIELD_OFFSET, field)]);
  return 0;
}

GR_TEMPLATE gr_u64 gr_load_null(struct gr_row* row, gr_u32 field) { return 0; }

/* --- Records --- */

/* Where the loop is lies in the worker's row_begin and row_end: see GR_IN_MEMORY. */
struct gr_rows {
  struct gr_worker* worker;
  struct gr_group_area* area;
};

/* Rounds of the loop inside one call: calls are dear, but the verifier follows each round. */
GR_INLINE gr_u64 gr_rounds(void) {
  gr_u64 nodes = gr_shape(GR_SHAPE_NODES, 0);
  return nodes <= 20 ? 16 : nodes <= 40 ? 8 : 2;
}

GR_INLINE gr_u64 gr_do_row(struct gr_rows* r, gr_u64 begin) {
  struct gr_run run = {.worker = r->worker, .area = r->area};
  struct gr_row row = {.worker = r->worker, .begin = begin};
  gr_u64 outcome = gr_op(&row, &run);
  if (outcome == GR_DONE) return GR_STATUS_OK;
  gr_hand_out(r->worker, begin, gr_record_bytes(),
              outcome == GR_SELECT ? GR_OUT_SELECTED : GR_OUT_ESCAPED);
  return r->worker->status;
}

static long gr_next_rows(gr_u64 i, struct gr_rows* r) {
  GR_KEEP_LOOP
  for (gr_u32 k = 0; k < gr_rounds(); k++) {
    gr_u64 begin = GR_IN_MEMORY(r->worker->row_begin);
    if (begin >= GR_IN_MEMORY(r->worker->row_end)) return 1;
    GR_OPAQUE(begin);
    if (begin > gr_last_begin()) return 1; /* never; the verifier must see it */
    GR_IN_MEMORY(r->worker->row_begin) = begin + gr_record_bytes();
    if (gr_do_row(r, begin) != GR_STATUS_OK) return 1;
  }
  return 0;
}

GR_SUBPROGRAM int gr_do_rows(struct gr_worker* worker) {
  GR_PROVE(worker);
  gr_u32 number = worker->number;
  struct gr_rows r = {.worker = worker};
  if (gr_keys()) {
    r.area = bpf_map_lookup_elem(&gr_group_areas, &number);
    if (!r.area) return 0;
  }
  gr_u64 begin = GR_PAGE_BYTES - worker->carry;
  gr_u64 count = (worker->carry + worker->page_bytes) / gr_record_bytes();
  worker->records += count;
  worker->row_begin = begin;
  worker->row_end = worker->rest_begin = begin + count * gr_record_bytes();
  bpf_loop(2 * GR_PAGE_BYTES, gr_next_rows, &r, 0);
  if (worker->row_begin != worker->row_end) gr_fail(worker, GR_STATUS_INCOMPLETE);
  return 0;
}

GR_INLINE void gr_do_page(struct gr_worker* worker) {
  gr_do_rows(worker);
  gr_carry_rest(worker, worker->rest_begin);
}
