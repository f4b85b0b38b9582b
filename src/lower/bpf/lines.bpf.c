/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Template: lines of text. Column 0 is the line, column 1 its offset in the file. */
#include "lower/bpf/text_records.bpf.h"

/* Apache-2.0 or GPL-2.0, at your choice; the kernel takes only names that it knows. */
char LICENSE[] SEC("license") = "GPL";

struct gr_row {
  struct gr_worker* worker;
  gr_u64 begin; /* in data */
  gr_u64 size;  /* without the line end */
};

enum { GR_LINE_COLUMN = 0 };

GR_TEMPLATE gr_u64 gr_row_offset(struct gr_row* row) {
  return row->worker->file_offset + row->begin - GR_PAGE_BYTES;
}

GR_TEMPLATE gr_u64 gr_load_text(struct gr_row* row, gr_u32 field, struct gr_text* text) {
  text->position = row->begin;
  text->length = row->size;
  return field == GR_LINE_COLUMN ? 0 : GR_FLAG_ESCAPE;
}

GR_TEMPLATE gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value) {
  *value = gr_row_offset(row);
  return field == GR_LINE_COLUMN ? GR_FLAG_ESCAPE : 0;
}

/* Neither column is ever NULL. */
GR_TEMPLATE gr_u64 gr_load_null(struct gr_row* row, gr_u32 field) { return 0; }

GR_INLINE gr_u64 gr_do_record(struct gr_records* r, gr_u64 begin, gr_u64 size) {
  struct gr_run run = {.worker = r->worker, .area = r->area};
  struct gr_row row = {.worker = r->worker, .begin = begin, .size = size};
  return gr_op(&row, &run);
}

GR_INLINE gr_u64 gr_skips_blank_lines(void) { return 0; }

GR_INLINE void gr_do_page(struct gr_worker* worker) {
  gr_find_record_ends(worker);
  gr_do_records(worker);
  gr_carry_rest(worker, worker->rest_begin);
}
