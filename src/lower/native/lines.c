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

/* Where a chunk's lines are worked off. */
struct gr_lines {
  struct gr_scan* scan;
  const gr_u8* chunk;
  gr_u64 chunk_offset; /* in the file */
  gr_u32 begin;        /* of the line at hand, in the chunk */
  gr_u64 done;
};

/* The op on the line at hand, which ends at `end`. */
GR_INLINE void gr_run_line(struct gr_lines* lines, gr_u32 end, struct gr_run* run) {
  const gr_u8* chunk = lines->chunk;
  gr_u32 begin = lines->begin;
  struct gr_row row;
  row.bytes = chunk + begin;
  row.size = end - begin;
  row.size -= row.size != 0 && chunk[end - 1] == '\r';
  row.file_offset = lines->chunk_offset + begin;
  if (GR_LIKELY(gr_op(&row, run) == GR_DONE))
    lines->done++;
  else
    gr_list(lines->scan, chunk + begin, end - begin);
  lines->begin = end + 1;
}

/* --- lines that must hold a text -------------------------------------------------------------- */

/* Looked for at once for all lines, so that those without it cost no more than their bytes: one
 * instruction tests a byte of the text at 64 places. Three of its bytes rule out nearly all. */
struct gr_search {
  const gr_u8* text;
  gr_u64 size;
  gr_u64 middle; /* where the second of the three bytes stands */
  gr_u64 last;
  gr_u8 byte[3];
};

/* What stands behind these bytes is left to the op. So much may be read behind the data. */
enum { GR_MOST_SEARCHED = 64 };

GR_INLINE struct gr_search gr_search_for(const struct gr_text* text) {
  const gr_u8* bytes = gr_text_bytes(text);
  struct gr_search search = {bytes, text->length, 0, 0, {0, 0, 0}};
  if (search.size == 0) return search;
  if (search.size > GR_MOST_SEARCHED) search.size = GR_MOST_SEARCHED;
  search.middle = search.size / 2;
  search.last = search.size - 1;
  search.byte[0] = bytes[0];
  search.byte[1] = bytes[search.middle];
  search.byte[2] = bytes[search.last];
  return search;
}

/* Bit i: the text begins at chunk[at + i], in front of `size`. */
GR_INLINE gr_u64 gr_find_text(const struct gr_search* search, const gr_u8* chunk, gr_u64 at,
                              gr_u64 size) {
  const gr_u8* group = chunk + at;
  gr_u64 maybe = gr_match(gr_load64(group), search->byte[0]) &
                 gr_match(gr_load64(group + search->middle), search->byte[1]) &
                 gr_match(gr_load64(group + search->last), search->byte[2]);
  maybe = gr_within(maybe, at, size);
  gr_u64 found = 0;
  for (; GR_UNLIKELY(maybe != 0); maybe &= maybe - 1) {
    gr_u32 place = gr_lowest(maybe);
    found |= gr_equal_bytes(group + place, search->text, search->size) << place;
  }
  return found;
}

/* Those of the chunk's lines that hold the text are run; the others are rejected. */
GR_INLINE void gr_run_found(struct gr_lines* lines, gr_u64 size, const struct gr_search* search,
                            struct gr_run* run) {
  gr_u64 is_found = 0; /* in the line at hand */
  for (gr_u64 at = 0; at < size; at += 64) {
    gr_u64 ends = gr_within(gr_match(gr_load64(lines->chunk + at), '\n'), at, size);
    gr_u64 found = gr_find_text(search, lines->chunk, at, size);
    if (GR_LIKELY((found | is_found) == 0)) {
      lines->done += (gr_u64)__builtin_popcountll(ends);
      if (ends != 0) lines->begin = (gr_u32)at + gr_highest(ends) + 1;
      continue;
    }
    for (; ends != 0; ends &= ends - 1) {
      gr_u64 line = ends ^ (ends - 1); /* up to its end, and what was before */
      if (is_found | (found & line)) {
        gr_run_line(lines, (gr_u32)at + gr_lowest(ends), run);
      } else {
        lines->done++;
        lines->begin = (gr_u32)at + gr_lowest(ends) + 1;
      }
      found &= ~line;
      is_found = 0;
    }
    is_found |= found;
  }
}

/* ---------------------------------------------------------------------------------------------- */

GR_INLINE void gr_run_all(struct gr_lines* lines, gr_u64 size, struct gr_run* run) {
  gr_u64 count = gr_find_ends(lines->scan, lines->chunk, size);
  for (gr_u64 i = 0; i < count; i++) gr_run_line(lines, lines->scan->ends[i], run);
}

gr_u64 gr_scan_records(struct gr_scan* scan) {
  struct gr_run run;
  gr_begin_run(&run, scan);
  struct gr_text text = {0, 0};
  if (gr_shape(GR_SHAPE_REQUIRED_TEXT, 0) != 0)
    gr_text_parameter(&run, (gr_u32)gr_shape(GR_SHAPE_REQUIRED_TEXT, 0) - 1, &text);
  struct gr_search search = gr_search_for(&text);
  while (scan->position < scan->size) {
    gr_u64 size = gr_next_chunk(scan);
    if (size == 0) return GR_SCAN_LIST;
    struct gr_lines lines = {scan, scan->data + scan->position, scan->file_offset + scan->position,
                             0, 0};
    gr_u64 is_last = scan->position + size == scan->size;
    if (gr_shape(GR_SHAPE_REQUIRED_TEXT, 0) != 0 && search.size != 0)
      gr_run_found(&lines, size, &search, &run);
    else
      gr_run_all(&lines, size, &run);
    if (lines.begin == 0) return is_last ? GR_SCAN_END : GR_SCAN_LONG;
    scan->records += lines.done;
    scan->position += lines.begin;
  }
  return GR_SCAN_END;
}
