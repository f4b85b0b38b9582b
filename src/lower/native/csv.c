/* The native reader of delimited text. Two stages for each chunk: all record ends and delimiters as
 * bitmaps, without a branch that depends on the data's lengths; then record by record the op, which
 * finds its fields by counting bits. Only needed fields are converted.
 *
 * Quotes: bytes between an odd and an even quote are content. Where a quote stands that neither
 * opens nor closes a field (source/csv_fields.h), the plain rules take over for those records. */
#include "lower/native/records.h"
#include "lower/native/values.h"

#define GR_QUOTE ((gr_u8)gr_shape(GR_SHAPE_QUOTE, 0))
#define GR_DELIMITER ((gr_u8)gr_shape(GR_SHAPE_DELIMITER, 0))
#define GR_COLUMNS ((gr_u32)gr_shape(GR_SHAPE_COLUMNS, 0))
#define GR_TRAILING (gr_shape(GR_SHAPE_DELIMITERS, 0) == gr_shape(GR_SHAPE_COLUMNS, 0))

/* Positions are relative to the chunk. */
struct gr_row {
  const struct gr_scan* scan;
  const gr_u8* chunk;
  const gr_u64* delimiters;
  gr_u32 begin;
  gr_u32 size;   /* without the line end */
  gr_u64 window; /* delimiters of the first 64 bytes */
  gr_u64 file_offset;
};

/* --- stage 1 ---------------------------------------------------------------------------------- */

/* Of quotes that look misplaced from within their group of 64 bytes: those that are. A quote may
 * open where a field or record begins, or behind one that closed just there (two quotes are one
 * character); it may close in front of a delimiter, a line end, or another quote. */
GR_COLD gr_u64 gr_misplaced(const gr_u8* group, gr_u64 opening, gr_u64 closing, gr_u64 is_first,
                            gr_u8 delimiter, gr_u8 quote) {
  if (opening & 1) {
    gr_u8 before = is_first ? '\n' : group[-1];
    opening ^= before == '\n' || before == delimiter || before == quote;
  }
  gr_u64 odd = opening;
  for (; closing != 0; closing &= closing - 1) {
    gr_u32 position = gr_lowest(closing);
    const gr_u8* behind = group + position + 1;
    gr_u64 fits = *behind == '\n' || *behind == delimiter || *behind == quote ||
                  (*behind == '\r' && behind[1] == '\n');
    odd |= (fits ^ 1) << position;
  }
  return odd;
}

/* Where stage 1 is in a chunk. */
struct gr_ends {
  gr_u64 count;  /* record ends so far */
  gr_u64 inside; /* all ones if the next byte is content of a quoted field */
  gr_u64 odd;    /* position of the first misplaced quote, or ~0 */
};

/* Record ends and delimiters of the 64 bytes at `at`. `quoted`: there may be quotes, or the state
 * is inside. */
GR_INLINE void gr_group_ends(struct gr_scan* scan, const gr_u8* chunk, gr_u64 at, gr_u64 size,
                             gr_u64 quoted, struct gr_ends* state) {
  struct gr_bytes64 bytes = gr_load64(chunk + at);
  gr_u64 ends = gr_match(bytes, '\n');
  gr_u64 delimiters =
      quoted || gr_shape(GR_SHAPE_NEEDS_FIELDS, 0) ? gr_match(bytes, GR_DELIMITER) : 0;
  if (quoted) {
    gr_u64 quotes = gr_match(bytes, GR_QUOTE);
    gr_u64 inside = gr_prefix_xor(quotes) ^ state->inside; /* with the opening quote */
    gr_u64 opening = quotes & inside, closing = quotes & ~inside;
    gr_u64 odd_opening = opening & ~((delimiters | ends | closing) << 1);
    gr_u64 odd_closing = closing & ~((delimiters | ends | quotes) >> 1);
    if (GR_UNLIKELY((odd_opening | odd_closing) != 0)) {
      gr_u64 odd =
          gr_misplaced(chunk + at, odd_opening, odd_closing, at == 0, GR_DELIMITER, GR_QUOTE);
      if (odd != 0) {
        state->odd = at + gr_lowest(odd);
        return;
      }
    }
    ends &= ~inside;
    delimiters &= ~inside;
    state->inside = (gr_u64)((gr_s64)inside >> 63);
  }
  if (gr_shape(GR_SHAPE_NEEDS_FIELDS, 0)) scan->delimiters[at / 64] = delimiters;
  state->count += gr_push_positions(scan->ends + state->count, at, gr_within(ends, at, size));
}

/* Quotes are looked for in several groups at once: either there are some nearly everywhere, or
 * nearly nowhere, so this branch is well predicted where one for each group would not be. */
enum { GR_GROUPS_BYTES = 256 };

/* Record ends and delimiters of `size` bytes from `chunk`, which begins with a record. */
GR_INLINE struct gr_ends gr_find_ends(struct gr_scan* scan, const gr_u8* chunk, gr_u64 size) {
  struct gr_ends state = {0, 0, ~(gr_u64)0};
  for (gr_u64 at = 0; at < size;) {
    gr_u64 stop = size - at < GR_GROUPS_BYTES ? size : at + GR_GROUPS_BYTES;
    gr_u64 quoted = 0;
    if (GR_QUOTE != 0) {
      quoted = state.inside;
      for (gr_u64 i = at; i < stop; i += 64) quoted |= gr_match(gr_load64(chunk + i), GR_QUOTE);
    }
    if (quoted) {
      for (; at < stop; at += 64) {
        gr_group_ends(scan, chunk, at, size, 1, &state);
        if (GR_UNLIKELY(state.odd != ~(gr_u64)0)) return state;
      }
    } else {
      for (; at < stop; at += 64) gr_group_ends(scan, chunk, at, size, 0, &state);
    }
  }
  return state;
}

/* --- fields ----------------------------------------------------------------------------------- */

/* Position of delimiter number k of the record, relative to its begin; beyond its end if there are
 * fewer. For what the window does not show. */
static __attribute__((noinline)) gr_u32 gr_find_delimiter(const gr_u64* delimiters, gr_u32 begin,
                                                          gr_u32 size, gr_u32 k) {
  gr_u32 at = begin >> 6;
  gr_u64 bits = delimiters[at] & ~(gr_u64)0 << (begin & 63);
  for (;;) {
    gr_u32 here = (gr_u32)__builtin_popcountll(bits);
    if (k < here) break;
    k -= here;
    at++;
    if (at * 64 > begin + size) return size + 1;
    bits = delimiters[at];
  }
  for (; k != 0; k--) bits &= bits - 1;
  return at * 64 + gr_lowest(bits) - begin;
}

GR_INLINE gr_u32 gr_delimiter(struct gr_row* row, gr_u32 k) {
  if (k < 64) {
    gr_u64 bit = gr_select_bit(row->window, k);
    if (GR_LIKELY(bit != 0)) return gr_lowest(bit);
  }
  return gr_find_delimiter(row->delimiters, row->begin, row->size, k);
}

/* The bytes of a field. Returns GR_FLAG_ESCAPE if the record has not the fields that it should. */
GR_INLINE gr_u64 gr_field(struct gr_row* row, gr_u32 field, const gr_u8** bytes, gr_u64* size) {
  gr_u32 begin = field == 0 ? 0 : gr_delimiter(row, field - 1) + 1;
  gr_u32 end = row->size;
  gr_u64 bad;
  if (field + 1 < GR_COLUMNS) {
    end = gr_delimiter(row, field);
    bad = end > row->size;
  } else if (GR_TRAILING) {
    end = gr_delimiter(row, field);
    bad = end + 1 != row->size;
  } else {
    /* The last column: no further delimiter may stand in the record. */
    bad = begin > end || gr_delimiter(row, field) < end;
  }
  *bytes = row->chunk + row->begin + begin;
  *size = end - begin;
  return bad ? GR_FLAG_ESCAPE : 0;
}

#define GR_FIELD_OR_ESCAPE(row, field) \
  const gr_u8* bytes;                  \
  gr_u64 size;                         \
  if (GR_UNLIKELY(gr_field(row, field, &bytes, &size) != 0)) return GR_FLAG_ESCAPE

GR_TEMPLATE gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value) {
  *value = 0;
  GR_FIELD_OR_ESCAPE(row, field);
  return gr_parse_integer(bytes, size, GR_QUOTE, value);
}
GR_TEMPLATE gr_u64 gr_load_decimal(struct gr_row* row, gr_u32 field, gr_u32 precision, gr_u32 scale,
                                   gr_s64* value) {
  *value = 0;
  GR_FIELD_OR_ESCAPE(row, field);
  return gr_parse_decimal(bytes, size, precision, scale, GR_QUOTE, value);
}
GR_TEMPLATE gr_u64 gr_load_date_order(struct gr_row* row, gr_u32 field, gr_s64* key) {
  *key = 0;
  GR_FIELD_OR_ESCAPE(row, field);
  return gr_parse_date_order(bytes, size, GR_QUOTE, key);
}
GR_TEMPLATE gr_u64 gr_load_date(struct gr_row* row, gr_u32 field, gr_s64* days) {
  gr_s64 key;
  gr_u64 flags = gr_load_date_order(row, field, &key);
  *days = flags == 0 ? gr_date_days(key) : 0;
  return flags;
}
GR_TEMPLATE gr_u64 gr_load_boolean(struct gr_row* row, gr_u32 field, gr_s64* value) {
  *value = 0;
  GR_FIELD_OR_ESCAPE(row, field);
  return gr_parse_boolean(bytes, size, value);
}
GR_TEMPLATE gr_u64 gr_load_double(struct gr_row* row, gr_u32 field, double* value) {
  *value = 0;
  GR_FIELD_OR_ESCAPE(row, field);
  if (GR_LIKELY(gr_parse_double_simple(bytes, size, value) == 0)) return 0;
  double parsed = 0;
  gr_u64 flags = row->scan->services->parse_double(bytes, size, GR_QUOTE, &parsed);
  *value = parsed;
  return flags;
}

/* Size of quoted text without its quotes; doubled ones inside escape. */
GR_COLD struct gr_parsed gr_quoted_size(const gr_u8* bytes, gr_u64 size, gr_u8 quote) {
  if (size < 2 || bytes[size - 1] != quote) return gr_parsed_flags(GR_FLAG_ESCAPE);
  size -= 2;
  if (size == 0) return gr_parsed_flags(GR_FLAG_NULL);
  for (gr_u64 i = 0; i < size; i += 64) {
    gr_u64 quotes = gr_match(gr_load64(bytes + 1 + i), quote);
    if (size - i < 64) quotes &= ((gr_u64)1 << (size - i)) - 1;
    if (quotes) return gr_parsed_flags(GR_FLAG_ESCAPE);
  }
  return (struct gr_parsed){0, (gr_s64)size};
}

GR_TEMPLATE gr_u64 gr_load_text(struct gr_row* row, gr_u32 field, struct gr_text* text) {
  text->position = text->length = 0;
  GR_FIELD_OR_ESCAPE(row, field);
  text->position = (gr_u64)bytes;
  text->length = size;
  if (size == 0) return GR_FLAG_NULL;
  if (GR_QUOTE != 0 && *bytes == GR_QUOTE) {
    gr_s64 inner;
    gr_u64 flags = gr_take(gr_quoted_size(bytes, size, GR_QUOTE), &inner);
    text->position++;
    text->length = (gr_u64)inner;
    return flags;
  }
  return 0;
}

GR_TEMPLATE gr_u64 gr_row_offset(struct gr_row* row) { return row->file_offset + row->begin; }

/* --- stage 2 ---------------------------------------------------------------------------------- */

/* Runs the op on the `count` records of a chunk. */
GR_INLINE void gr_run_records(struct gr_scan* scan, const gr_u8* chunk, gr_u64 count) {
  struct gr_run run;
  gr_begin_run(&run, scan);
  struct gr_row row;
  row.scan = scan;
  row.chunk = chunk;
  row.delimiters = scan->delimiters;
  row.file_offset = scan->file_offset + (gr_u64)(chunk - scan->data);
  gr_u64 done = 0;
  gr_u32 begin = 0;
  for (gr_u64 i = 0; i < count; i++) {
    gr_u32 end = scan->ends[i];
    gr_u32 size = end - begin;
    row.begin = begin;
    row.size = size - (size != 0 && chunk[end - 1] == '\r');
    begin = end + 1;
    if (GR_UNLIKELY(row.size == 0) && GR_COLUMNS > 1) continue;
    if (gr_shape(GR_SHAPE_NEEDS_FIELDS, 0)) {
      gr_u32 word = row.begin >> 6, bit = row.begin & 63;
      row.window = scan->delimiters[word] >> bit | (scan->delimiters[word + 1] << 1) << (63 - bit);
    }
    if (GR_LIKELY(gr_op(&row, &run) == GR_DONE))
      done++;
    else
      gr_list(scan, chunk + row.begin, size);
  }
  scan->records += done;
}

gr_u64 gr_scan_records(struct gr_scan* scan) {
  while (scan->position < scan->size) {
    gr_u64 size = gr_next_chunk(scan);
    if (size == 0) return GR_SCAN_LIST;
    const gr_u8* chunk = scan->data + scan->position;
    struct gr_ends found = gr_find_ends(scan, chunk, size);
    gr_u64 count = found.count;
    gr_run_records(scan, chunk, count);
    gr_u64 is_last = scan->position + size == scan->size;
    if (count != 0) scan->position += scan->ends[count - 1] + 1;
    if (GR_UNLIKELY(found.odd != ~(gr_u64)0)) {
      scan->odd_position = (gr_u64)(chunk - scan->data) + found.odd;
      return GR_SCAN_ODD;
    }
    if (count == 0) return is_last ? GR_SCAN_END : GR_SCAN_LONG;
  }
  return GR_SCAN_END;
}
