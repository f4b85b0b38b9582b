/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Text against the query's constants: =, and LIKE of the forms 'x%', '%x', '%x%'. */
#ifndef GRAPNEL_LOWER_BPF_TEXT_TESTS_BPF_H
#define GRAPNEL_LOWER_BPF_TEXT_TESTS_BPF_H

#include "lower/bpf/groups.bpf.h"

/* A constant's bytes: worker->parameters.text[from, from + size), at most GR_BPF_TEXT_BYTES. */
struct gr_constant {
  gr_u64 from, size;
};

GR_INLINE struct gr_constant gr_text_constant(struct gr_worker* worker, gr_u32 parameter) {
  gr_u64 place = worker->parameters.word[parameter & (GR_MAX_PARAMETERS - 1)];
  struct gr_constant constant = {.from = place >> 32 & (GR_TEXT_PARAMETER_BYTES - 1),
                                 .size = place & 0xffffffff};
  GR_OPAQUE(constant.from);
  return constant;
}

/* Nonzero if the constant does not stand at data + position. */
GR_INLINE gr_u64 gr_differs_at(struct gr_worker* worker, gr_u64 position,
                               struct gr_constant constant) {
  const gr_u8* bytes = worker->data + gr_in_data(position);
  const gr_u8* wanted = worker->parameters.text + constant.from;
  gr_u64 difference = 0;
#pragma unroll
  for (gr_u32 i = 0; i < GR_BPF_TEXT_BYTES / 8; i++)
    difference |= gr_text_word(bytes, constant.size, i) ^ gr_text_word(wanted, constant.size, i);
  return difference;
}

GR_TEMPLATE gr_u64 gr_text_equal(struct gr_run* run, const struct gr_text* text, gr_u32 parameter) {
  struct gr_constant constant = gr_text_constant(run->worker, parameter);
  gr_u64 difference =
      (text->length ^ constant.size) | gr_differs_at(run->worker, text->position, constant);
  return gr_is_nonzero(difference) ^ 1;
}

GR_TEMPLATE gr_u64 gr_text_starts_with(struct gr_run* run, const struct gr_text* text,
                                       gr_u32 parameter) {
  struct gr_constant constant = gr_text_constant(run->worker, parameter);
  gr_u64 difference = gr_is_below(text->length, constant.size) |
                      gr_differs_at(run->worker, text->position, constant);
  return gr_is_nonzero(difference) ^ 1;
}

GR_TEMPLATE gr_u64 gr_text_ends_with(struct gr_run* run, const struct gr_text* text,
                                     gr_u32 parameter) {
  struct gr_constant constant = gr_text_constant(run->worker, parameter);
  gr_u64 begin = text->position + text->length - constant.size;
  gr_u64 difference =
      gr_is_below(text->length, constant.size) | gr_differs_at(run->worker, begin, constant);
  return gr_is_nonzero(difference) ^ 1;
}

/* --- '%x%' --- */

/* The places, of 64 from data + at on, whose byte has the value that is repeated; by lanes. A byte
 * above 127 finds some places more in ASCII text: they are looked at whole afterwards. In line, as
 * calls may be eight deep. */
GR_INLINE gr_u64 gr_places_of(struct gr_worker* worker, gr_u64 at, gr_u64 repeated) {
  const gr_u8* text = worker->data + gr_in_data(at);
  gr_u64 all = 0;
  gr_u64 lanes = gr_lanes_ascii(text, ~0ull, repeated, &all);
  if (GR_UNLIKELY(all & GR_HIGH)) {
    GR_OPAQUE(text); /* its words are loaded again: kept, they would cost every group */
    lanes = gr_lanes_exact(text, repeated);
  }
  return lanes;
}

/* The next 64 places: those where the first and the last byte of the constant stand (W. Mula, SIMD-
 * friendly algorithms for substring searching, 2016). */
GR_INLINE gr_u64 gr_candidates(struct gr_worker* worker, gr_u64 at, gr_u64 places) {
  struct gr_search* search = &worker->search;
  gr_u64 lanes = gr_places_of(worker, at, search->first);
  if (!lanes) return 0;
  lanes &= gr_places_of(worker, at + search->size - 1, search->last);
  if (!lanes) return 0;
  gr_u64 bits = gr_transpose(lanes);
  return places < 64 ? bits & ((1ull << (places & 63)) - 1) : bits;
}

struct gr_search_loop {
  struct gr_worker* worker;
};

/* One group of places, or one candidate of the group before. 1: stop. */
static long gr_search_on(gr_u64 i, struct gr_search_loop* loop) {
  struct gr_worker* worker = loop->worker;
  struct gr_search* search = &worker->search;
  gr_u64 bits = GR_IN_MEMORY(search->bits), at = GR_IN_MEMORY(search->at);
  if (!bits) {
    gr_u64 places = GR_IN_MEMORY(search->places);
    if (!places) return 1;
    GR_IN_MEMORY(search->bits) = gr_candidates(worker, at, places);
    GR_IN_MEMORY(search->group) = at;
    GR_IN_MEMORY(search->at) = at + 64;
    GR_IN_MEMORY(search->places) = places < 64 ? 0 : places - 64;
    return 0;
  }
  gr_u64 bit = gr_lowest_bit(bits);
  struct gr_constant constant = {.from = search->from & (GR_TEXT_PARAMETER_BYTES - 1),
                                 .size = search->size};
  GR_OPAQUE(constant.from);
  GR_IN_MEMORY(search->bits) = bits ^ bit;
  if (gr_differs_at(worker, GR_IN_MEMORY(search->group) + gr_bit_number(bit), constant)) return 0;
  GR_IN_MEMORY(search->found) = 1;
  return 1;
}

/* 1 if the constant stands in data[position, position + length). */
GR_SUBPROGRAM gr_u64 gr_find_text(struct gr_worker* worker, gr_u64 position, gr_u64 length,
                                  gr_u32 parameter) {
  GR_PROVE(worker);
  struct gr_constant constant = gr_text_constant(worker, parameter);
  struct gr_search* search = &worker->search;
  gr_u64 size = constant.size;
  if (!size) return 1;
  if (length < size || length > 2 * GR_PAGE_BYTES) return 0;
  gr_u64 last = (constant.from + size - 1) & (GR_TEXT_PARAMETER_BYTES - 1);
  GR_OPAQUE(last);
  search->from = constant.from;
  search->size = size;
  search->first = GR_REPEAT(worker->parameters.text[constant.from]);
  search->last = GR_REPEAT(worker->parameters.text[last]);
  search->at = position;
  search->places = length - size + 1;
  search->bits = search->found = 0;
  struct gr_search_loop loop = {.worker = worker};
  /* As many groups, and as many candidates, as there can be. */
  bpf_loop(4 * GR_PAGE_BYTES, gr_search_on, &loop, 0);
  return search->found;
}

GR_TEMPLATE gr_u64 gr_text_contains(struct gr_run* run, const struct gr_text* text,
                                    gr_u32 parameter) {
  return gr_find_text(run->worker, text->position, text->length, parameter);
}

#endif
