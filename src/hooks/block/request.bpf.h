/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The pages of a request that has been read: which page of which file each one is, and what of it
 * is to be computed. The pages are locked until the request is ended, which comes after us.
 *
 * bi_iter says what of the bio_vecs is meant, never bi_vcnt: a bio that was split or cloned has 0
 * there. A bio_vec can cover many pages; they are neighbours in memory, not always in the file. */
#ifndef GRAPNEL_HOOKS_BLOCK_REQUEST_BPF_H
#define GRAPNEL_HOOKS_BLOCK_REQUEST_BPF_H

#include "hooks/block/file_pages.bpf.h"
#include "hooks/block/heads.bpf.h"
#include "lower/bpf/anchor.bpf.h"

struct gr_request_walk {
  struct gr_worker* worker;
  struct gr_range* range;
  struct gr_request_place* at;
  gr_u64 mapping, page_constant;
};

/* 1: there is none. */
GR_INLINE gr_u64 gr_next_bio(struct gr_request_walk* w) {
  struct bio* bio = (struct bio*)GR_IN_MEMORY(w->at->bio);
  if (!bio) return 1;
  GR_IN_MEMORY(w->at->bio) = (gr_u64)BPF_CORE_READ(bio, bi_next);
  GR_IN_MEMORY(w->at->bio_bytes) = BPF_CORE_READ(bio, bi_size);
  GR_IN_MEMORY(w->at->vector) = (gr_u64)BPF_CORE_READ(bio, bi_io_vec) +
                                BPF_CORE_READ(bio, bi_idx) * bpf_core_type_size(struct bio_vec);
  gr_u64 done = BPF_CORE_READ(bio, bi_bvec_done);
  if (gr_read_vector(GR_IN_MEMORY(w->at->vector), &w->at->now) || done >= w->at->now.bytes)
    return 1;
  w->at->now.offset += done;
  w->at->now.bytes -= done;
  return 0;
}

GR_INLINE gr_u64 gr_next_vector(struct gr_request_walk* w) {
  if (!GR_IN_MEMORY(w->at->bio_bytes)) return gr_next_bio(w);
  GR_IN_MEMORY(w->at->vector) += bpf_core_type_size(struct bio_vec);
  return gr_read_vector(GR_IN_MEMORY(w->at->vector), &w->at->now) || !w->at->now.bytes;
}

/* Lists what is to be computed of page `index` of the file. */
GR_INLINE void gr_list_page(struct gr_request_walk* w, gr_u64 index, gr_u64 address) {
  struct gr_worker* worker = w->worker;
  struct gr_range* range = w->range;
  gr_u64 at = index << GR_PAGE_SHIFT, bytes = range->end - at, head = 0;
  if (bytes > GR_PAGE_BYTES) bytes = GR_PAGE_BYTES;
  gr_u64 starts = at != GR_IN_MEMORY(w->at->next_offset);
  if (starts) {
    head = gr_find_head(worker, range, at, address, bytes);
    if (head >= bytes) return;
  }
  gr_u64 n = worker->segment_count & (GR_MAX_SEGMENTS - 1);
  GR_OPAQUE(n);
  struct gr_segment* segment = &worker->segments[n];
  segment->address = address + head;
  segment->bytes = bytes - head;
  segment->starts = starts;
  segment->index = at + head;
  worker->segment_count = n + 1;
  GR_IN_MEMORY(w->at->next_offset) = at + bytes;
}

static long gr_next_page(gr_u64 i, struct gr_request_walk* w) {
  if (!GR_IN_MEMORY(w->at->bytes)) return 1;
  if ((!w->at->now.bytes || !GR_IN_MEMORY(w->at->bio_bytes)) && gr_next_vector(w)) return 1;
  gr_u64 page = w->at->now.page + (w->at->now.offset >> GR_PAGE_SHIFT) * 64;
  gr_u64 offset = w->at->now.offset & (GR_PAGE_BYTES - 1), bytes = GR_PAGE_BYTES - offset;
  if (bytes > w->at->now.bytes) bytes = w->at->now.bytes;
  if (bytes > GR_IN_MEMORY(w->at->bio_bytes)) bytes = GR_IN_MEMORY(w->at->bio_bytes);
  if (bytes > GR_IN_MEMORY(w->at->bytes)) bytes = GR_IN_MEMORY(w->at->bytes);
  w->at->now.offset += bytes;
  w->at->now.bytes -= bytes;
  GR_IN_MEMORY(w->at->bio_bytes) -= bytes;
  GR_IN_MEMORY(w->at->bytes) -= bytes;
  if (bytes != GR_PAGE_BYTES) return 0; /* the rest of the page may not have been read */
  gr_u64 index = gr_page_index(&w->at->folio, page, w->mapping);
  if (index >= w->range->first_page && index < w->range->end_page)
    gr_list_page(w, index, page * 64 + w->page_constant);
  return 0;
}

#endif
