/* The native reader of lines: each line is a record with the columns line and line_offset. */
#include "lower/native/records.h"

enum { GR_COLUMN_LINE = 0, GR_COLUMN_OFFSET = 1 };

struct gr_row {
  const gr_u8* bytes;
  gr_u64 size;
  gr_u64 file_offset;
};

GR_TEMPLATE gr_u64 gr_load_text(struct gr_row* row, gr_u32 field, struct gr_text* text) {
  text->position = (gr_u64)row->bytes;
  text->length = row->size;
  return field == GR_COLUMN_LINE ? 0 : (gr_u64)GR_FLAG_ESCAPE;
}
GR_TEMPLATE gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value) {
  *value = (gr_s64)row->file_offset;
  return field == GR_COLUMN_OFFSET ? 0 : (gr_u64)GR_FLAG_ESCAPE;
}
GR_TEMPLATE gr_u64 gr_row_offset(struct gr_row* row) { return row->file_offset; }

GR_INLINE gr_u64 gr_find_ends(struct gr_scan* scan, const gr_u8* chunk, gr_u64 size) {
  gr_u64 count = 0;
  for (gr_u64 at = 0; at < size; at += 64) {
    gr_u64 ends = gr_match(gr_load64(chunk + at), '\n');
    count += gr_push_positions(scan->ends + count, at, gr_within(ends, at, size));
  }
  return count;
}

gr_u64 gr_scan_records(struct gr_scan* scan) {
  struct gr_run run;
  gr_begin_run(&run, scan);
  while (scan->position < scan->size) {
    gr_u64 size = gr_next_chunk(scan);
    if (size == 0) return GR_SCAN_LIST;
    const gr_u8* chunk = scan->data + scan->position;
    gr_u64 is_last = scan->position + size == scan->size;
    gr_u64 count = gr_find_ends(scan, chunk, size);
    if (count == 0) return is_last ? GR_SCAN_END : GR_SCAN_LONG;
    gr_u64 done = 0;
    gr_u32 begin = 0;
    for (gr_u64 i = 0; i < count; i++) {
      gr_u32 end = scan->ends[i];
      struct gr_row row;
      row.bytes = chunk + begin;
      row.size = end - begin;
      row.size -= row.size != 0 && chunk[end - 1] == '\r';
      row.file_offset = scan->file_offset + scan->position + begin;
      if (GR_LIKELY(gr_op(&row, &run) == GR_DONE))
        done++;
      else
        gr_list(scan, chunk + begin, end - begin);
      begin = end + 1;
    }
    scan->records += done;
    scan->position += begin;
  }
  return GR_SCAN_END;
}
