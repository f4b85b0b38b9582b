/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A record of text and its fields.
 *
 * Two ways to find a field. "In view": the delimiters of the record's first 64 bytes are one
 * bitmap; as `field` is a constant, its bounds are the n-th bits of that word, and no loop is
 * needed. "Walked": for records whose needed fields do not all end in these bytes in front of the
 * first quote, a subprogram writes the bounds of all fields to worker->field_begin and field_end
 * first. The op is compiled once for each way (`walked` is a constant, too).
 *
 * In view, what is rare is an escape: above all a number or date that is NULL. So that form of the
 * op knows that there is none. Its escapes are walked, and what escapes there is handed out. */
#ifndef GRAPNEL_LOWER_BPF_CSV_ROW_BPF_H
#define GRAPNEL_LOWER_BPF_CSV_ROW_BPF_H

#include "lower/bpf/groups.bpf.h"

struct gr_row {
  struct gr_worker* worker;
  gr_u64 begin;      /* in data */
  gr_u64 size;       /* without the line end */
  const gr_u8* text; /* in view: data + begin */
  gr_u64 delimiters; /* in view: bit i: a delimiter at begin + i; the record's end is one, too */
  gr_u64 walked;
};

/* The n-th delimiter in view, as a bit; `n` is a constant below 64 when the op is linked, and the
 * loop is unrolled then. The same beginning of several calls is computed once. An op that reaches
 * far to the right would hold too much at a time: every eighth step it comes from memory. */
enum { GR_VIEW_STEP = 8, GR_FIELDS_IN_REGISTERS = 16 };

GR_INLINE gr_u64 gr_nth_delimiter(struct gr_row* row, gr_u32 n) {
  gr_u64 bits = row->delimiters;
  gr_u32 from = 0;
  if (gr_shape(GR_SHAPE_LAST_NEEDED, 0) >= GR_FIELDS_IN_REGISTERS && n >= GR_VIEW_STEP) {
    from = n / GR_VIEW_STEP * GR_VIEW_STEP;
    bits = GR_IN_MEMORY(row->worker->view[n / GR_VIEW_STEP]);
  }
  GR_UNROLL_LATER
  for (gr_u32 i = from; i < n; i++) bits &= bits - 1;
  return gr_lowest_bit(bits);
}

/* Makes the steps that gr_nth_delimiter() begins at. */
GR_INLINE void gr_note_steps(struct gr_row* row) {
  if (gr_shape(GR_SHAPE_LAST_NEEDED, 0) < GR_FIELDS_IN_REGISTERS) return;
  gr_u64 bits = row->delimiters;
  GR_UNROLL_LATER
  for (gr_u32 i = 1; i <= gr_shape(GR_SHAPE_LAST_NEEDED, 0); i++) {
    bits &= bits - 1;
    if (i % GR_VIEW_STEP == 0) GR_IN_MEMORY(row->worker->view[i / GR_VIEW_STEP]) = bits;
  }
}

/* Bounds of a field; flags if it cannot be had. */
GR_INLINE gr_u64 gr_find_field(struct gr_row* row, gr_u32 field, struct gr_span* span) {
  struct gr_worker* worker = row->worker;
  if (!row->walked) {
    gr_u64 from = field ? gr_bit_number(gr_nth_delimiter(row, field - 1)) + 1 : 0;
    gr_u64 to = gr_bit_number(gr_nth_delimiter(row, field));
    span->at = row->begin + from;
    span->text = row->text + from;
    span->size = to - from;
    return 0;
  }
  if (field >= GR_MAX_FIELDS) return GR_FLAG_ESCAPE;
  gr_u64 begin = worker->field_begin[field], end = worker->field_end[field];
  if (field >= worker->field_count || end > worker->quote_limit) {
    span->at = span->size = 0;
    span->text = worker->data;
    return GR_FLAG_ESCAPE;
  }
  span->at = begin;
  span->text = worker->data + gr_in_data(begin);
  span->size = end - begin;
  return 0;
}

/* --- What the op calls (op_abi.h) --- */

GR_TEMPLATE gr_u64 gr_row_offset(struct gr_row* row) {
  return row->worker->file_offset + row->begin - GR_PAGE_BYTES;
}

GR_TEMPLATE gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value) {
  struct gr_span span;
  *value = 0;
  gr_u64 flags = gr_find_field(row, field, &span);
  if (flags) return flags;
  if (!row->walked) return gr_present_number(row->worker, &span, 18, 0, value);
  return gr_number(row->worker, &span, 18, 0, value);
}

GR_TEMPLATE gr_u64 gr_load_decimal(struct gr_row* row, gr_u32 field, gr_u32 precision, gr_u32 scale,
                                   gr_s64* value) {
  struct gr_span span;
  *value = 0;
  gr_u64 flags = gr_find_field(row, field, &span);
  if (flags) return flags;
  if (!row->walked) return gr_present_number(row->worker, &span, precision - scale, scale, value);
  return gr_number(row->worker, &span, precision - scale, scale, value);
}

GR_TEMPLATE gr_u64 gr_load_date_order(struct gr_row* row, gr_u32 field, gr_s64* key) {
  struct gr_span span;
  *key = 0;
  gr_u64 flags = gr_find_field(row, field, &span);
  if (flags) return flags;
  flags = gr_date_key(&span, key);
  if (!row->walked) return flags ? GR_FLAG_ESCAPE : 0;
  return flags;
}

GR_TEMPLATE gr_u64 gr_load_date(struct gr_row* row, gr_u32 field, gr_s64* days) {
  gr_s64 key;
  gr_u64 flags = gr_load_date_order(row, field, &key);
  *days = flags ? 0 : gr_days_of_key(key);
  return flags;
}

GR_TEMPLATE gr_u64 gr_load_boolean(struct gr_row* row, gr_u32 field, gr_s64* value) {
  struct gr_span span;
  *value = 0;
  gr_u64 flags = gr_find_field(row, field, &span);
  if (flags) return flags;
  return gr_boolean(&span, value);
}

GR_TEMPLATE gr_u64 gr_load_null(struct gr_row* row, gr_u32 field) {
  struct gr_span span;
  gr_u64 flags = gr_find_field(row, field, &span);
  if (flags) return flags;
  return gr_is_nonzero(span.size) ^ GR_FLAG_NULL;
}

GR_TEMPLATE gr_u64 gr_load_text(struct gr_row* row, gr_u32 field, struct gr_text* text) {
  struct gr_span span;
  text->position = text->length = 0;
  gr_u64 flags = gr_find_field(row, field, &span);
  if (flags) return flags;
  text->position = span.at;
  text->length = span.size;
  /* The mask tells LLVM that there is no other flag. */
  return gr_sign(span.size - 1) & GR_FLAG_NULL;
}

#endif
