/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Template: records of delimited text. See csv_row.bpf.h for how fields are found,
 * record_ends.bpf.h for stage 1, text_records.bpf.h for stage 2, worker.h for what is shared with
 * user space. */
#include "lower/bpf/csv_row.bpf.h"
#include "lower/bpf/text_records.bpf.h"

/* Apache-2.0 or GPL-2.0, at your choice; the kernel takes only names that it knows. */
char LICENSE[] SEC("license") = "GPL";

/* Facts of the table, all constants. */
GR_INLINE gr_u64 gr_last_needed(void) { return gr_shape(GR_SHAPE_LAST_NEEDED, 0); }
GR_INLINE gr_u64 gr_needs_last_column(void) {
  return gr_shape(GR_SHAPE_NEEDS_FIELDS, 0) &&
         gr_last_needed() + 1 == gr_shape(GR_SHAPE_COLUMNS, 0);
}
GR_INLINE gr_u64 gr_has_trailing_delimiter(void) {
  return gr_shape(GR_SHAPE_DELIMITERS, 0) == gr_shape(GR_SHAPE_COLUMNS, 0);
}
GR_INLINE gr_u64 gr_is_quoted(void) { return gr_shape(GR_SHAPE_QUOTE, 0) != 0; }

/* --- Walking a record --- */

/* The state of the walk lies in the worker: the verifier takes what it reads from there for
 * unknown, so that the loop is the same in each round. On the stack it would follow every count. */
struct gr_walk_loop {
  struct gr_worker* worker;
};

GR_INLINE void gr_walk_group(struct gr_worker* worker) {
  struct gr_walk* w = &worker->walk;
  gr_u64 rest = w->end - w->at, keep = ~0ull;
  if (rest < GR_GROUP_BYTES) keep = (1ull << (rest & 63)) - 1;
  gr_u64 delimiter = GR_REPEAT(gr_shape(GR_SHAPE_DELIMITER, 0));
  w->bits = keep & gr_transpose(gr_exact_lanes(worker, w->at, delimiter));
  if (!gr_is_quoted() || worker->quote_limit != ~0ull) return;
  gr_u64 quote = GR_REPEAT(gr_shape(GR_SHAPE_QUOTE, 0));
  gr_u64 quotes = keep & gr_transpose(gr_exact_lanes(worker, w->at, quote));
  if (quotes) worker->quote_limit = w->at + gr_trailing_zeroes(quotes);
}

GR_INLINE void gr_note_field(struct gr_worker* worker, gr_u64 end) {
  gr_u64 n = worker->field_count;
  if (n < GR_MAX_FIELDS) {
    worker->field_begin[n] = worker->walk.field_begin;
    worker->field_end[n] = end;
  }
  worker->walk.field_begin = end + 1;
  worker->field_count = n + 1;
}

static long gr_walk_some(gr_u64 i, struct gr_walk_loop* loop) {
  struct gr_worker* worker = loop->worker;
  struct gr_walk* w = &worker->walk;
  if (worker->field_count > gr_last_needed() && !gr_needs_last_column() && !worker->irregular)
    return 1;
  if (!w->bits) {
    w->at += GR_GROUP_BYTES;
    if (w->at >= w->end) return 1;
    gr_walk_group(worker);
  }
#pragma unroll
  for (int k = 0; k < 4; k++) {
    gr_u64 bits = w->bits;
    if (!bits) return 0;
    gr_note_field(worker, w->at + gr_trailing_zeroes(bits));
    w->bits = bits & (bits - 1);
  }
  return 0;
}

/* Bounds of the record's fields, as many as matter. Delimiters behind the first quote may be text;
 * fields that end behind it are never used. */
GR_SUBPROGRAM int gr_walk_record(struct gr_worker* worker) {
  GR_PROVE(worker);
  struct gr_walk_loop loop = {.worker = worker};
  gr_u64 begin = worker->record_begin, end = begin + worker->record_size;
  worker->walk.bits = 0;
  worker->walk.at = begin - GR_GROUP_BYTES;
  worker->walk.end = end;
  worker->walk.field_begin = begin;
  worker->field_count = 0;
  worker->quote_limit = ~0ull;
  bpf_loop(3 * GR_PAGE_BYTES, gr_walk_some, &loop, 0);
  gr_note_field(worker, end);
  return 0;
}

/* A query that reads the last column must see that no more fields follow. */
GR_INLINE gr_u64 gr_has_wrong_fields(struct gr_worker* worker) {
  if (!gr_needs_last_column()) return 0;
  gr_u64 columns = gr_shape(GR_SHAPE_COLUMNS, 0);
  if (worker->field_count == columns) return 0;
  if (!gr_has_trailing_delimiter() || worker->field_count != columns + 1) return 1;
  return worker->field_begin[columns & (GR_MAX_FIELDS - 1)] !=
         worker->field_end[columns & (GR_MAX_FIELDS - 1)];
}

GR_INLINE gr_u64 gr_do_walked(struct gr_records* r, gr_u64 begin, gr_u64 size) {
  struct gr_worker* worker = r->worker;
  worker->record_begin = begin;
  worker->record_size = size;
  gr_walk_record(worker);
  if (worker->quote_limit != ~0ull && worker->irregular) return GR_ESCAPE;
  if (worker->quote_limit == ~0ull && gr_has_wrong_fields(worker)) return GR_ESCAPE;
  struct gr_run run = {.worker = worker, .area = r->area};
  struct gr_row row = {.worker = worker, .begin = begin, .size = size, .walked = 1};
  return gr_op(&row, &run);
}

static long gr_next_walked(gr_u64 i, struct gr_records* r) {
  gr_u64 k = i & (GR_MAX_ENDS - 1);
  GR_OPAQUE(k);
  gr_u64 begin = r->worker->to_walk[k].begin, size = r->worker->to_walk[k].size;
  return gr_settle(r->worker, gr_do_walked(r, begin, size), begin, size);
}

/* The records that the first pass left over. A pass of its own: one call inside the other, the two
 * copies of the op would need too much stack. */
GR_SUBPROGRAM int gr_do_walked_records(struct gr_worker* worker) {
  GR_PROVE(worker);
  gr_u32 number = worker->number;
  struct gr_records r = {.worker = worker};
  if (gr_keys()) {
    r.area = bpf_map_lookup_elem(&gr_group_areas, &number);
    if (!r.area) return 0;
  }
  bpf_loop(worker->to_walk_count, gr_next_walked, &r, 0);
  worker->to_walk_count = 0;
  return 0;
}

/* --- Records in view --- */

/* Delimiters of the 64 bytes at the record's begin, in front of the first quote. Behind its end
 * they are those of other records, but for a query that needs to know where the record ends: then
 * the end is one, too, and the last. */
GR_INLINE gr_u64 gr_view(struct gr_worker* worker, const gr_u8* text, gr_u64 begin, gr_u64 size) {
  gr_u64 repeated = GR_REPEAT(gr_shape(GR_SHAPE_DELIMITER, 0));
  gr_u64 bits = gr_transpose(gr_lanes(worker, text, begin, repeated));
  if (gr_needs_last_column()) {
    gr_u64 end = 1ull << (size & 63);
    gr_u64 fits = gr_sign(size - 64); /* 1: the record ends in view */
    bits &= (end - 1) | (fits - 1);
    bits |= end & (0 - fits);
  }
  if (gr_is_quoted() && worker->has_quotes) {
    gr_u64 at = gr_in_data(begin), group = at / GR_GROUP_BYTES, shift = at % GR_GROUP_BYTES;
    gr_u64 quotes = worker->quotes[group] >> shift | (worker->quotes[group + 1] << 1)
                                                         << (63 - shift);
    bits &= gr_lowest_bit(quotes) - 1;
  }
  return bits;
}

/* 1 if all needed fields end in view, where they should. */
GR_INLINE gr_u64 gr_is_in_view(struct gr_row* row) {
  if (!gr_shape(GR_SHAPE_NEEDS_FIELDS, 0)) return 1;
  if (gr_last_needed() >= GR_GROUP_BYTES - 1) return 0;
  gr_note_steps(row);
  gr_u64 last = gr_nth_delimiter(row, gr_last_needed());
  if (!gr_needs_last_column()) return last && gr_bit_number(last) < row->size;
  gr_u64 end = (1ull << (row->size & 63)) & (0 - gr_sign(row->size - 64)); /* 0: not in view */
  return last && last == (gr_has_trailing_delimiter() ? end >> 1 : end);
}

GR_INLINE void gr_walk_later(struct gr_worker* worker, gr_u64 begin, gr_u64 size) {
  gr_u64 n = worker->to_walk_count & (GR_MAX_ENDS - 1);
  GR_OPAQUE(n);
  worker->to_walk[n].begin = begin;
  worker->to_walk[n].size = size;
  worker->to_walk_count++;
}

GR_INLINE gr_u64 gr_do_record(struct gr_records* r, gr_u64 begin, gr_u64 size) {
  struct gr_worker* worker = r->worker;
  struct gr_row row = {.worker = worker, .begin = begin, .size = size};
  row.text = worker->data + gr_in_data(begin);
  if (gr_shape(GR_SHAPE_NEEDS_FIELDS, 0)) row.delimiters = gr_view(worker, row.text, begin, size);
  if (!(gr_is_quoted() && worker->has_quotes && worker->irregular) && gr_is_in_view(&row)) {
    struct gr_run run = {.worker = worker, .area = r->area};
    gr_u64 outcome = gr_op(&row, &run);
    if (outcome != GR_ESCAPE) return outcome;
  }
  gr_walk_later(worker, begin, size);
  return GR_DONE;
}

GR_INLINE gr_u64 gr_skips_blank_lines(void) { return gr_shape(GR_SHAPE_COLUMNS, 0) > 1; }

GR_INLINE void gr_do_page(struct gr_worker* worker) {
  gr_find_record_ends(worker);
  gr_do_records(worker);
  if (worker->to_walk_count) gr_do_walked_records(worker);
  gr_carry_rest(worker, worker->rest_begin);
}
