/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Stage 1: where records end. Finds the line feeds outside quotes of one page, in groups of 64
 * bytes, and writes their positions to worker->ends. For quoted text it also keeps the bitmap of
 * the quotes (worker->quotes) and sees whether each quote stands where one may stand: an opening
 * one at the start of a field, a closing one at its end. Where one does not, worker->irregular
 * sends every record of the page that has a quote to the exact form, which knows what it means.
 *
 * The common case has no branch that depends on the data: a group's first line feed is stored
 * whether there is one or not, and the count grows by 0 or 1. */
#ifndef GRAPNEL_LOWER_BPF_RECORD_ENDS_BPF_H
#define GRAPNEL_LOWER_BPF_RECORD_ENDS_BPF_H

#include "lower/bpf/template.bpf.h"

enum { GR_GROUPS_A_CALL = 4 };

/* A bitmap in text order: positions `at` + bit number, appended to worker->ends. */
struct gr_append {
  struct gr_worker* worker;
  gr_u64 bits, at, count;
};

GR_INLINE void gr_append_lowest(struct gr_append* a) {
  gr_u64 bit = gr_lowest_bit(a->bits);
  gr_u64 k = a->count & (GR_MAX_ENDS - 1);
  GR_OPAQUE(k);
  a->worker->ends[k] = a->at + gr_bit_number(bit);
  a->count += gr_is_nonzero(a->bits);
  a->bits ^= bit;
}

static long gr_append_some(gr_u64 i, struct gr_append* a) {
  if (!a->bits) return 1;
  gr_append_lowest(a);
  gr_append_lowest(a);
  gr_append_lowest(a);
  gr_append_lowest(a);
  return 0;
}

/* Groups with many line feeds. `at`: of the group. */
GR_SUBPROGRAM int gr_append_ends(struct gr_worker* worker, gr_u64 bits, gr_u64 at) {
  GR_PROVE(worker);
  struct gr_append a = {.worker = worker, .bits = bits, .at = at, .count = worker->end_count};
  bpf_loop(GR_GROUP_BYTES / 4, gr_append_some, &a, 0);
  worker->end_count = a.count;
  return 0;
}

/* One bitmap of line feeds in text order. */
GR_INLINE void gr_add_ends(struct gr_worker* worker, gr_u64 bits, gr_u64 at, gr_u64* count) {
  struct gr_append a = {.worker = worker, .bits = bits, .at = at, .count = *count};
  gr_append_lowest(&a);
  if (a.bits) {
    gr_append_lowest(&a);
    if (a.bits) {
      worker->end_count = a.count;
      gr_append_ends(worker, a.bits, at);
      a.count = worker->end_count;
    }
  }
  *count = a.count;
}

struct gr_groups {
  struct gr_worker* worker;
  gr_u64 count;  /* record ends found so far */
  gr_u64 inside; /* quoted text: all ones or 0 */
  gr_u64 quotes; /* quoted text: nonzero if the page or the carry has any */
};

GR_INLINE void gr_plain_group(struct gr_groups* g, gr_u64 at) {
  gr_u64 lanes = gr_lanes(g->worker, g->worker->data + at, at, GR_REPEAT('\n'));
  gr_u64 lowest = gr_lowest_bit(lanes);
  if (lanes ^ lowest) {
    gr_add_ends(g->worker, gr_transpose(lanes), at, &g->count);
    return;
  }
  gr_u64 number = gr_bit_number(lowest);
  gr_u64 k = g->count & (GR_MAX_ENDS - 1);
  GR_OPAQUE(k);
  g->worker->ends[k] = at + ((number & 7) << 3) + (number >> 3);
  g->count += gr_is_nonzero(lanes);
}

GR_INLINE gr_u64 gr_group_at(gr_u64 i) { return gr_in_page(i * GR_GROUP_BYTES); }

static long gr_plain_groups(gr_u64 i, struct gr_groups* g) {
  GR_KEEP_LOOP
  for (gr_u32 k = 0; k < GR_GROUPS_A_CALL; k++)
    gr_plain_group(g, gr_group_at(i * GR_GROUPS_A_CALL + k));
  return 0;
}

/* --- Quoted text --- */

GR_INLINE gr_u64 gr_is_byte(gr_u64 a, gr_u64 b) { return gr_is_nonzero(a ^ b) ^ 1; }

/* 1 if a field may begin behind `c`. Two quotes in a row are a quote in the text: the first closes
 * the field, the second opens it again. */
GR_INLINE gr_u64 gr_ends_before(gr_u64 c) {
  return gr_is_byte(c, gr_shape(GR_SHAPE_DELIMITER, 0)) | gr_is_byte(c, '\n') |
         gr_is_byte(c, gr_shape(GR_SHAPE_QUOTE, 0));
}

/* 1 if a field may end before the bytes `c`, `next`. */
GR_INLINE gr_u64 gr_begins_behind(gr_u64 c, gr_u64 next) {
  return gr_ends_before(c) | (gr_is_byte(c, '\r') & gr_is_byte(next, '\n'));
}

struct gr_check {
  struct gr_worker* worker;
  gr_u64 bits;   /* quotes still to be checked, in text order */
  gr_u64 inside; /* bit of a quote: set if it opens a field */
  gr_u64 at;     /* of bit 0 */
  gr_u64 wrong;
};

GR_INLINE void gr_check_lowest(struct gr_check* c) {
  gr_u64 bit = gr_lowest_bit(c->bits);
  const gr_u8* text = c->worker->data + gr_in_page(c->at + gr_bit_number(bit));
  gr_u64 opens = gr_is_nonzero(c->inside & bit);
  gr_u64 good = gr_choose(opens, gr_ends_before(text[-1]), gr_begins_behind(text[1], text[2]));
  c->wrong |= gr_is_nonzero(c->bits) & (good ^ 1);
  c->bits ^= bit;
}

static long gr_check_some(gr_u64 i, struct gr_check* c) {
  if (!c->bits) return 1;
  gr_check_lowest(c);
  gr_check_lowest(c);
  return 0;
}

/* Groups with many quotes. */
GR_SUBPROGRAM int gr_check_quotes(struct gr_worker* worker, gr_u64 bits, gr_u64 inside, gr_u64 at) {
  GR_PROVE(worker);
  struct gr_check c = {.worker = worker, .bits = bits, .inside = inside, .at = at};
  bpf_loop(GR_GROUP_BYTES / 2, gr_check_some, &c, 0);
  worker->irregular |= c.wrong;
  return 0;
}

GR_INLINE void gr_quoted_group(struct gr_groups* g, gr_u64 at) {
  struct gr_worker* worker = g->worker;
  const gr_u8* text = worker->data + at;
  gr_u64 ends = gr_lanes(worker, text, at, GR_REPEAT('\n'));
  gr_u64 quotes = gr_lanes(worker, text, at, GR_REPEAT(gr_shape(GR_SHAPE_QUOTE, 0)));
  ends = gr_transpose(ends);
  quotes = gr_transpose(quotes);
  worker->quotes[at / GR_GROUP_BYTES] = quotes;
  g->quotes |= quotes;
  gr_u64 inside = g->inside;
  if (quotes) {
    inside ^= gr_prefix_xor(quotes);
    g->inside = (gr_u64)((gr_s64)inside >> 63);
    struct gr_check c = {.worker = worker, .bits = quotes, .inside = inside, .at = at};
    gr_check_lowest(&c);
    gr_check_lowest(&c);
    if (c.wrong | c.bits) {
      worker->irregular |= c.wrong;
      gr_check_quotes(worker, c.bits, inside, at);
    }
  }
  gr_add_ends(worker, ends & ~inside, at, &g->count);
}

static long gr_quoted_groups(gr_u64 i, struct gr_groups* g) {
  GR_KEEP_LOOP
  for (gr_u32 k = 0; k < GR_GROUPS_A_CALL; k++)
    gr_quoted_group(g, gr_group_at(i * GR_GROUPS_A_CALL + k));
  return 0;
}

/* Most pages even of files that may have quotes have none. Line feed and '"' differ in two bits:
 * one test that leaves these out finds both (and '*' and 0x02), at half the price of two. It is
 * taken if the page before had no quote; one that is found after all sends the page through
 * gr_quoted_group. */
enum { GR_FEED_OR_QUOTE_MASK = 0xff ^ '\n' ^ '"', GR_FEED_OR_QUOTE = '\n' & '"' };

GR_INLINE gr_u64 gr_has_quick_test(void) { return gr_shape(GR_SHAPE_QUOTE, 0) == '"'; }

GR_INLINE void gr_unquoted_group(struct gr_groups* g, gr_u64 at) {
  struct gr_worker* worker = g->worker;
  const gr_u8* text = worker->data + at;
  gr_u64 all = 0;
  gr_u64 lanes =
      gr_lanes_ascii(text, GR_REPEAT(GR_FEED_OR_QUOTE_MASK), GR_REPEAT(GR_FEED_OR_QUOTE), &all);
  gr_u64 lowest = gr_lowest_bit(lanes), some = gr_is_nonzero(lanes);
  gr_u64 number = gr_bit_number(lowest);
  gr_u64 place = ((number & 7) << 3) + (number >> 3);
  gr_u64 other = gr_is_nonzero(worker->data[at + place] ^ '\n') & some;
  if (GR_UNLIKELY((lanes ^ lowest) | other | (all & GR_HIGH))) {
    GR_OPAQUE(text); /* its words are loaded again: kept, they would cost every group */
    gr_u64 ends = gr_lanes(worker, text, at, GR_REPEAT('\n'));
    g->quotes |= gr_lanes(worker, text, at, GR_REPEAT('"'));
    gr_add_ends(worker, gr_transpose(ends), at, &g->count);
    return;
  }
  gr_u64 k = g->count & (GR_MAX_ENDS - 1);
  GR_OPAQUE(k);
  worker->ends[k] = at + place;
  g->count += some;
}

static long gr_unquoted_groups(gr_u64 i, struct gr_groups* g) {
  GR_KEEP_LOOP
  for (gr_u32 k = 0; k < GR_GROUPS_A_CALL; k++)
    gr_unquoted_group(g, gr_group_at(i * GR_GROUPS_A_CALL + k));
  return g->quotes != 0;
}

/* The quotes of the carried bytes again: they have moved. */
static long gr_carried_group(gr_u64 i, struct gr_groups* g) {
  gr_u64 at = (GR_PAGE_BYTES - GR_GROUP_BYTES - i * GR_GROUP_BYTES) & (GR_PAGE_BYTES - 1);
  GR_OPAQUE(at);
  gr_u64 lanes = gr_lanes_exact(g->worker->data + at, GR_REPEAT(gr_shape(GR_SHAPE_QUOTE, 0)));
  gr_u64 group = at / GR_GROUP_BYTES & (GR_PAGE_BYTES / GR_GROUP_BYTES - 1);
  GR_OPAQUE(group);
  g->worker->quotes[group] = gr_transpose(lanes);
  g->quotes |= lanes;
  return 0;
}

/* A closing quote at the end of the page before could not be checked then. */
GR_INLINE void gr_check_pending_quote(struct gr_worker* worker) {
  const gr_u8* page = worker->data + GR_PAGE_BYTES;
  if (worker->after_quote == 1)
    worker->irregular |= gr_begins_behind(page[0], page[1]) ^ 1;
  else if (worker->after_quote == 2)
    worker->irregular |= gr_is_byte(page[0], '\n') ^ 1;
}

GR_INLINE void gr_note_pending_quote(struct gr_worker* worker) {
  gr_u64 end = gr_in_page(worker->page_bytes - 1);
  const gr_u8* last = worker->data + end;
  gr_u64 quote = gr_shape(GR_SHAPE_QUOTE, 0);
  worker->after_quote = 0;
  if (worker->inside_quotes) return;
  if (last[0] == quote) worker->after_quote = 1;
  if (last[0] == '\r' && last[-1] == quote) worker->after_quote = 2;
}

/* --- Both --- */

/* Behind the page stand two line feeds, so that a quote or a CR at its very end looks regular until
 * the next page tells; groups are looked at whole, so zeroes follow. */
GR_INLINE void gr_pad_page(struct gr_worker* worker) {
  gr_u64 bytes = worker->page_bytes;
  if (bytes < GR_PAGE_BYTES)
    bpf_probe_read_kernel(worker->data + GR_PAGE_BYTES + (bytes & (GR_PAGE_BYTES - 1)),
                          sizeof worker->padding, worker->padding);
  else
    *(gr_u64*)(worker->data + 2 * GR_PAGE_BYTES) = '\n' << 8 | '\n';
}

/* Forgets the line feeds of the padding. */
GR_INLINE void gr_drop_padding(struct gr_worker* worker) {
  gr_u64 end = GR_PAGE_BYTES + worker->page_bytes;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    gr_u64 k = (worker->end_count - 1) & (GR_MAX_ENDS - 1);
    GR_OPAQUE(k);
    if (worker->end_count && worker->ends[k] >= end) worker->end_count--;
  }
}

/* The page by the quick test; 1 if that was enough. */
GR_SUBPROGRAM gr_u64 gr_find_unquoted_ends(struct gr_worker* worker, gr_u64 calls) {
  GR_PROVE(worker);
  struct gr_groups g = {.worker = worker};
  bpf_loop(calls, gr_unquoted_groups, &g, 0);
  worker->end_count = g.count;
  return g.quotes == 0;
}

GR_SUBPROGRAM int gr_find_quoted_ends(struct gr_worker* worker, gr_u64 calls) {
  GR_PROVE(worker);
  struct gr_groups g = {.worker = worker, .inside = worker->inside_quotes};
  if (!worker->carry) worker->irregular = 0;
  gr_check_pending_quote(worker);
  bpf_loop((worker->carry + GR_GROUP_BYTES - 1) / GR_GROUP_BYTES, gr_carried_group, &g, 0);
  bpf_loop(calls, gr_quoted_groups, &g, 0);
  worker->end_count = g.count;
  worker->inside_quotes = g.inside;
  /* Also those of the carry: its record may be carried on. */
  worker->had_quotes = g.quotes != 0;
  gr_note_pending_quote(worker);
  return 0;
}

/* Fills worker->ends for the page's worker->page_bytes bytes. */
GR_SUBPROGRAM int gr_find_record_ends(struct gr_worker* worker) {
  GR_PROVE(worker);
  gr_u64 calls = (worker->page_bytes + GR_GROUPS_A_CALL * GR_GROUP_BYTES - 1) /
                 (GR_GROUPS_A_CALL * GR_GROUP_BYTES);
  gr_pad_page(worker);
  worker->has_quotes = 0;
  if (!gr_shape(GR_SHAPE_QUOTE, 0)) {
    struct gr_groups g = {.worker = worker};
    bpf_loop(calls, gr_plain_groups, &g, 0);
    worker->end_count = g.count;
  } else if (!gr_has_quick_test() || worker->had_quotes || worker->inside_quotes ||
             !gr_find_unquoted_ends(worker, calls)) {
    worker->has_quotes = 1;
    gr_find_quoted_ends(worker, calls);
  }
  gr_drop_padding(worker);
  return 0;
}

#endif
