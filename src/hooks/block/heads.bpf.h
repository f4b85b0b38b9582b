/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Where the first record begins in a page that may lie anywhere in the file. For quoted text this
 * is a guess, made as source::guess_quote_state makes it: an opening quote follows a delimiter or a
 * line end, a closing one is followed by one. User space proves it with the record that ends
 * there. */
#ifndef GRAPNEL_HOOKS_BLOCK_HEADS_BPF_H
#define GRAPNEL_HOOKS_BLOCK_HEADS_BPF_H

#include "hooks/block/block.h"
#include "lower/bpf/anchor.bpf.h"

enum { GR_NO_RECORD = 2 * GR_PAGE_BYTES };

/* Positions are offsets in the page, which lies at worker->data + GR_PAGE_BYTES. */
struct gr_head_search {
  struct gr_worker* worker;
  gr_u64 bytes;
  gr_u64 candidate; /* behind the first line feed that may end a record, or GR_NO_RECORD */
  gr_u64 known;     /* 1: it is known whether the next byte lies inside quotes */
  gr_u64 inside;
};

GR_INLINE gr_u64 gr_page_byte(struct gr_worker* worker, gr_u64 at) {
  at &= GR_PAGE_BYTES - 1;
  GR_OPAQUE(at);
  return worker->data[GR_PAGE_BYTES + at];
}

GR_INLINE gr_u64 gr_is_line_or_field_end(gr_u64 c) {
  return c == gr_shape(GR_SHAPE_DELIMITER, 0) || c == '\n';
}

/* A quote whose side is not known yet, at `at`. 1: the search is over. */
GR_INLINE long gr_judge_quote(struct gr_head_search* s, gr_u64 at) {
  if (at == 0 || at + 1 >= s->bytes) return 0;
  gr_u64 before = gr_page_byte(s->worker, at - 1), behind = gr_page_byte(s->worker, at + 1);
  gr_u64 quote = gr_shape(GR_SHAPE_QUOTE, 0);
  if (before == quote || behind == quote) return 0;
  gr_u64 opens = gr_is_line_or_field_end(before);
  gr_u64 closes = gr_is_line_or_field_end(behind) || behind == '\r';
  if (opens == closes) return 0;
  s->known = 1;
  s->inside = opens;
  if (opens) return s->candidate != GR_NO_RECORD;
  s->candidate = GR_NO_RECORD; /* that line feed was text */
  return 0;
}

static long gr_search_head(gr_u64 at, struct gr_head_search* s) {
  if (at >= s->bytes) return 1;
  gr_u64 c = gr_page_byte(s->worker, at), quote = gr_shape(GR_SHAPE_QUOTE, 0);
  if (c == '\n' && !s->inside && s->candidate == GR_NO_RECORD) {
    s->candidate = at + 1;
    return s->known || !quote;
  }
  if (!quote || c != quote) return 0;
  if (!s->known) return gr_judge_quote(s, at);
  s->inside ^= 1;
  return 0;
}

/* For text: the offset of the first record that begins behind the page's first byte, GR_NO_RECORD
 * if none does. */
GR_SUBPROGRAM gr_u64 gr_find_text_head(struct gr_worker* worker, gr_u64 address, gr_u64 bytes) {
  GR_PROVE(worker);
  if (bpf_probe_read_kernel(worker->data + GR_PAGE_BYTES, GR_PAGE_BYTES, (void*)address))
    return GR_NO_RECORD;
  struct gr_head_search s = {.worker = worker, .bytes = bytes, .candidate = GR_NO_RECORD};
  bpf_loop(GR_PAGE_BYTES, gr_search_head, &s, 0);
  return s.candidate;
}

/* Offset in the page at file offset `at` of its first record. */
GR_INLINE gr_u64 gr_find_head(struct gr_worker* worker, const struct gr_range* range, gr_u64 at,
                              gr_u64 address, gr_u64 bytes) {
  gr_u64 record = gr_shape(GR_SHAPE_RECORD_BYTES, 0);
  if (!record) return gr_find_text_head(worker, address, bytes);
  gr_u64 rest = (at - range->data_begin) % record;
  return rest ? record - rest : 0;
}

#endif
