/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The pages of a request that has been read: which page of which file each one is, and what of it
 * is to be computed. The pages are locked until the request is ended, which comes after us.
 *
 * bi_iter says what of the bio_vecs is meant, never bi_vcnt: a bio that was split or cloned has 0
 * there. A bio_vec can cover many pages; they are neighbours in memory, not always in the file. */
#ifndef GRAPNEL_HOOKS_BLOCK_REQUEST_BPF_H
#define GRAPNEL_HOOKS_BLOCK_REQUEST_BPF_H

#include "hooks/block/block.h"
#include "hooks/block/heads.bpf.h"
#include "lower/bpf/anchor.bpf.h"

enum { GR_PAGE_SHIFT = 12 };
#define GR_NOT_OURS (~0ull) /* no page of the file */

/* The members of struct page and struct folio that say it, side by side in all kernels so far. */
struct gr_page_words {
  gr_u64 flags, compound_head, lru, mapping, index;
};

/* struct page of 7.1 and later (compound_info): a mask that leads to the first page, or its
 * address. */
struct page___masked {
  gr_u64 compound_info;
} GR_KERNEL;

GR_INLINE gr_u64 gr_head_of(gr_u64 page, gr_u64 word) {
  if (!(word & 1)) return page;
  /* No struct page lies that high: the kernel keeps this place for other things. */
  return word >> 40 == 0xffffff ? page & word : word - 1;
}

GR_INLINE gr_u64 gr_compound_word(gr_u64 page) {
  struct page___masked* masked = (struct page___masked*)page;
  if (bpf_core_field_exists(masked->compound_info)) return BPF_CORE_READ(masked, compound_info);
  return BPF_CORE_READ((struct page*)page, compound_head);
}

/* Moves `folio` to the one that the page belongs to. 0: done. */
GR_INLINE gr_u64 gr_find_folio(struct gr_folio_at* folio, gr_u64 page) {
  struct folio* head;
  if (bpf_core_field_exists(struct page, compound_head) &&
      bpf_core_field_offset(struct page, compound_head) == 8 &&
      bpf_core_field_offset(struct folio, mapping) == 24 &&
      bpf_core_field_offset(struct folio, index) == 32) {
    struct gr_page_words words;
    if (bpf_probe_read_kernel(&words, sizeof words, (void*)page)) return 1;
    gr_u64 address = gr_head_of(page, words.compound_head);
    if (address == folio->address) return 0;
    if (address != page && bpf_probe_read_kernel(&words, sizeof words, (void*)address)) return 1;
    folio->address = address;
    folio->mapping = words.mapping;
    folio->index = words.index;
    return 0;
  }
  gr_u64 address = gr_head_of(page, gr_compound_word(page));
  if (address == folio->address) return 0;
  head = (struct folio*)address;
  folio->address = address;
  folio->mapping = (gr_u64)BPF_CORE_READ(head, mapping);
  folio->index = BPF_CORE_READ(head, index);
  return 0;
}

/* Page of the file, if it is one of `mapping`; else GR_NOT_OURS. */
GR_INLINE gr_u64 gr_page_index(struct gr_folio_at* folio, gr_u64 page, gr_u64 mapping) {
  if (gr_find_folio(folio, page) || folio->mapping != mapping) return GR_NOT_OURS;
  return folio->index + (page - folio->address) / 64;
}

GR_INLINE gr_u64 gr_read_vector(gr_u64 address, struct gr_vector* vector) {
  struct bio_vec* kernel = (struct bio_vec*)address;
  if (bpf_core_field_offset(struct bio_vec, bv_page) == 0 &&
      bpf_core_field_offset(struct bio_vec, bv_len) == 8 &&
      bpf_core_field_offset(struct bio_vec, bv_offset) == 12)
    return bpf_probe_read_kernel(vector, sizeof *vector, kernel);
  vector->page = (gr_u64)BPF_CORE_READ(kernel, bv_page);
  vector->bytes = BPF_CORE_READ(kernel, bv_len);
  vector->offset = BPF_CORE_READ(kernel, bv_offset);
  return 0;
}

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

/* Index of the first page of a request, if it is one of the file; else GR_NOT_OURS. */
GR_INLINE gr_u64 gr_first_page(gr_u64 request, gr_u64 mapping) {
  struct bio* bio = BPF_CORE_READ((struct request*)request, bio);
  if (!bio) return GR_NOT_OURS;
  struct gr_vector vector;
  gr_u64 vectors = (gr_u64)BPF_CORE_READ(bio, bi_io_vec);
  if (gr_read_vector(vectors + BPF_CORE_READ(bio, bi_idx) * bpf_core_type_size(struct bio_vec),
                     &vector))
    return GR_NOT_OURS;
  gr_u64 into = vector.offset + BPF_CORE_READ(bio, bi_bvec_done);
  struct gr_folio_at folio = {};
  return gr_page_index(&folio, vector.page + (into >> GR_PAGE_SHIFT) * 64, mapping);
}

#endif
