/* The native reader of fixed records: packed little-endian values. */
#include "lower/native/records.h"

struct gr_row {
  const gr_u8* bytes;
  gr_u64 file_offset;
};

#define GR_RECORD_BYTES gr_shape(GR_SHAPE_RECORD_BYTES, 0)

/* The bytes of a field, zero or sign extended. 16 bytes must be the extension of 8. */
GR_INLINE gr_u64 gr_load_fixed(struct gr_row* row, gr_u32 field, gr_s64* value) {
  const gr_u8* p = row->bytes + gr_shape(GR_SHAPE_FIELD_OFFSET, field);
  gr_u64 is_signed = gr_shape(GR_SHAPE_FIELD_SIGNED, field);
  gr_u64 size = gr_shape(GR_SHAPE_FIELD_BYTES, field);
  if (size == 1) {
    *value = is_signed ? (gr_s64)(signed char)*p : (gr_s64)*p;
  } else if (size == 2) {
    gr_u16 word;
    __builtin_memcpy(&word, p, 2);
    *value = is_signed ? (gr_s64)(short)word : (gr_s64)word;
  } else if (size == 4) {
    gr_u32 word;
    __builtin_memcpy(&word, p, 4);
    *value = is_signed ? (gr_s64)(int)word : (gr_s64)word;
  } else {
    *value = (gr_s64)gr_word(p);
    if (size == 16 && gr_word(p + 8) != (gr_u64)(*value >> 63)) return GR_FLAG_ESCAPE;
    if (size == 8 && !is_signed && *value < 0) return GR_FLAG_ESCAPE;
  }
  return 0;
}

GR_TEMPLATE gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value) {
  return gr_load_fixed(row, field, value);
}
GR_TEMPLATE gr_u64 gr_load_date(struct gr_row* row, gr_u32 field, gr_s64* days) {
  return gr_load_fixed(row, field, days);
}
GR_TEMPLATE gr_u64 gr_load_boolean(struct gr_row* row, gr_u32 field, gr_s64* value) {
  *value = row->bytes[gr_shape(GR_SHAPE_FIELD_OFFSET, field)] != 0;
  return 0;
}
GR_TEMPLATE gr_u64 gr_load_double(struct gr_row* row, gr_u32 field, double* value) {
  __builtin_memcpy(value, row->bytes + gr_shape(GR_SHAPE_FIELD_OFFSET, field), 8);
  return 0;
}
GR_TEMPLATE gr_u64 gr_row_offset(struct gr_row* row) { return row->file_offset; }

gr_u64 gr_scan_records(struct gr_scan* scan) {
  struct gr_run run;
  gr_begin_run(&run, scan);
  struct gr_row row;
  gr_u64 size = GR_RECORD_BYTES;
  while (scan->size - scan->position >= size) {
    if (scan->listed_count + GR_CHUNK_BYTES > GR_MAX_LISTED) return GR_SCAN_LIST;
    gr_u64 count = (scan->size - scan->position) / size;
    if (count > GR_CHUNK_BYTES) count = GR_CHUNK_BYTES;
    row.bytes = scan->data + scan->position;
    row.file_offset = scan->file_offset + scan->position;
    gr_u64 done = 0;
    for (gr_u64 i = 0; i < count; i++) {
      if (GR_LIKELY(gr_op(&row, &run) == GR_DONE))
        done++;
      else
        gr_list(scan, row.bytes, (gr_u32)size);
      row.bytes += size;
      row.file_offset += size;
    }
    scan->records += done;
    scan->position += count * size;
  }
  return GR_SCAN_END;
}
