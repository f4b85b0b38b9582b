/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which page of which file is it, and is a request one of our file: all that is done for everybody
 * else's. */
#ifndef GRAPNEL_HOOKS_BLOCK_FILE_PAGES_BPF_H
#define GRAPNEL_HOOKS_BLOCK_FILE_PAGES_BPF_H

#include "hooks/block/block.h"
#include "hooks/kernel/folio.bpf.h"
#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"

enum { GR_REQ_OP_MASK = 0xff, GR_REQ_OP_READ = 0 };
enum { GR_PAGE_SHIFT = 12 };
#define GR_NOT_OURS (~0ull) /* no page of the file */

/* The members of struct page and struct folio that say it, side by side in all kernels so far. */
struct gr_page_words {
  gr_u64 flags, compound_head, lru, mapping, index;
};

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

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_file);
} gr_file SEC(".maps");

/* What the tracepoint says, and what blk_update_request() is called with. */
struct gr_completion {
  gr_u64 request, error, bytes;
};

/* The same where the verifier knows types, and takes the request for no number: through memory. */
GR_INLINE gr_u64 gr_read_completion(gr_u64* context, struct gr_completion* completion) {
  return bpf_probe_read_kernel(completion, sizeof *completion, context);
}

GR_INLINE struct gr_completion gr_completion_in(struct pt_regs* registers) {
  return (struct gr_completion){.request = BPF_CORE_READ(registers, di),
                                .error = BPF_CORE_READ(registers, si),
                                .bytes = BPF_CORE_READ(registers, dx)};
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

/* Index of the first page that was read, if the request is a read of our file that went well; else
 * GR_NOT_OURS. The error is 8 bits wide; those above it are undefined where it is an argument. On a
 * stack of its own: the op needs nearly all that there is. */
GR_SUBPROGRAM gr_u64 gr_look_at(gr_u64 request, gr_u64 error, gr_u64 bytes) {
  gr_u32 zero = 0;
  struct gr_file* file = bpf_map_lookup_elem(&gr_file, &zero);
  if (!file || (error & 0xff) || !(gr_u32)bytes) return GR_NOT_OURS;
  gr_u32 flags = BPF_CORE_READ((struct request*)request, cmd_flags);
  if ((flags & GR_REQ_OP_MASK) != GR_REQ_OP_READ) return GR_NOT_OURS;
  return gr_first_page(request, file->mapping);
}

#endif
