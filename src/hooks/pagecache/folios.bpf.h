/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Lists pages of the page cache as segments, from worker->file_offset on: out of the batch of
 * folios that the kernel has got for a read, or, where that cannot be seen, out of the file's tree.
 * Only folios that this read holds references to are taken: the first GR_BATCH_FOLIOS behind where
 * it begins. Where the tree has changed since, so may have what it refers to; so every copy is
 * proved afterwards (gr_is_still_there). */
#ifndef GRAPNEL_HOOKS_PAGECACHE_FOLIOS_BPF_H
#define GRAPNEL_HOOKS_PAGECACHE_FOLIOS_BPF_H

#include "hooks/kernel/folio.bpf.h"
#include "lower/bpf/anchor.bpf.h"

enum {
  GR_BATCH_FOLIOS = 31, /* room in a folio_batch since 6.9 (9cecde80aae0) */
  GR_TREE_LEVELS = 11,  /* 64 bits, 6 at a time */
  /* Low bits of an entry of the tree: 00 a folio, 10 internal, x1 a value (left by reclaim). */
  GR_ENTRY_BITS = 3,
  GR_ENTRY_INTERNAL = 2,
  GR_ENTRY_SIBLINGS = 64 << 2, /* internal ones below: number of the slot to look at instead */
  GR_ENTRY_NODES = 4096,       /* internal ones above: a node; between them: in flux */
  GR_LIST_ROUNDS = 2 * GR_MAX_SEGMENTS
};

/* Members of struct folio, as they lie there in all kernels so far. */
struct gr_folio_head {
  gr_u64 flags, list[2], mapping, index;
};

struct gr_folio_walk {
  struct gr_worker* worker;
  gr_u64 at, end; /* bytes of the file to be listed */
  gr_u64 batch;   /* address of the next pointer in the batch; 0: look into the tree */
  gr_u64 folios_left;
  gr_u64 folio, folio_index, next_index; /* the one at hand, its first page, the page behind it */
};

GR_INLINE gr_u64 gr_read_folio(gr_u64 address, struct gr_folio_head* head) {
  struct folio* folio = (struct folio*)address;
  /* Decided while loading. */
  if (bpf_core_field_offset(struct folio, flags) == 0 &&
      bpf_core_field_offset(struct folio, mapping) == 24 &&
      bpf_core_field_offset(struct folio, index) == 32)
    return bpf_probe_read_kernel(head, sizeof *head, folio);
  head->flags = BPF_CORE_READ(folio, flags);
  head->mapping = (gr_u64)BPF_CORE_READ(folio, mapping);
  head->index = BPF_CORE_READ(folio, index);
  return 0;
}

/* 1 if the folio is one of the file and its bytes are valid. */
GR_INLINE gr_u64 gr_is_ours(const struct gr_worker* worker, const struct gr_folio_head* head) {
  return head->mapping == worker->mapping &&
         gr_has_flag(head->flags, bpf_core_enum_value(enum pageflags, PG_uptodate));
}

GR_INLINE gr_u64 gr_slot(struct xa_node* node, gr_u64 number) {
  gr_u64 entry = 0;
  gr_u64 slots = (gr_u64)node + bpf_core_field_offset(struct xa_node, slots);
  bpf_probe_read_kernel(&entry, sizeof entry, (void*)(slots + number * sizeof entry));
  return entry;
}

/* The folio of a page, as the tree has it; 0: none. Nodes live as long as this program runs (RCU),
 * but may be out of the tree: what the folio itself says is what counts. */
GR_SUBPROGRAM gr_u64 gr_find_folio(struct gr_worker* worker, gr_u64 page) {
  GR_PROVE(worker);
  struct address_space* mapping = (struct address_space*)worker->mapping;
  gr_u64 entry = worker->leaf;
  if (!entry || worker->leaf_number != page >> 6) entry = (gr_u64)BPF_CORE_READ(mapping, xa_head);
  GR_KEEP_LOOP
  for (gr_u32 level = 0; level < GR_TREE_LEVELS; level++) {
    if ((entry & GR_ENTRY_BITS) != GR_ENTRY_INTERNAL) break;
    if (entry <= GR_ENTRY_NODES) return 0;
    struct xa_node* node = (struct xa_node*)(entry - GR_ENTRY_INTERNAL);
    gr_u64 shift = BPF_CORE_READ(node, shift) & 63;
    if (!shift) {
      worker->leaf = entry;
      worker->leaf_number = page >> 6;
    }
    entry = gr_slot(node, page >> shift & 63);
    if ((entry & GR_ENTRY_BITS) == GR_ENTRY_INTERNAL && entry < GR_ENTRY_SIBLINGS)
      entry = gr_slot(node, entry >> 2);
  }
  return entry & GR_ENTRY_BITS ? 0 : entry;
}

/* The folio behind the one at hand. 1: there is none that can be had now. */
GR_INLINE long gr_next_folio(struct gr_folio_walk* w) {
  gr_u64 folio = 0, next = w->next_index;
  if (!w->folios_left) return 1;
  w->folios_left--;
  if (w->batch) {
    bpf_probe_read_kernel(&folio, sizeof folio, (void*)w->batch);
    w->batch += sizeof folio;
  } else {
    folio = gr_find_folio(w->worker, next);
  }
  struct gr_folio_head head;
  if (!folio || gr_read_folio(folio, &head) || !gr_is_ours(w->worker, &head)) return 1;
  w->folio = folio;
  w->folio_index = head.index;
  /* Where a kernel does not say how many pages a large folio has, the first one is taken, and the
   * read repeated for the next. */
  w->next_index = head.index + gr_pages_by_flags((struct folio*)folio, head.flags);
  /* An event may have been lost: what is missing in front is for another read. */
  if (head.index > w->at / GR_PAGE_BYTES) return 1;
  return !w->batch && (head.index > next || w->next_index <= next);
}

GR_INLINE gr_u64 gr_file_size(const struct gr_worker* worker) {
  struct inode* inode = (struct inode*)worker->inode;
  return BPF_CORE_READ(inode, i_size);
}

/* A page of the folio at hand, or the next folio. */
static long gr_list_page(gr_u64 i, struct gr_folio_walk* w) {
  struct gr_worker* worker = w->worker;
  gr_u64 at = w->at, page = at / GR_PAGE_BYTES, into_page = at & (GR_PAGE_BYTES - 1);
  if (at >= w->end) return 1;
  if (!w->folio || page >= w->next_index) return gr_next_folio(w);
  gr_u64 n = worker->segment_count;
  if (n >= GR_MAX_SEGMENTS) return 1;
  gr_u64 bytes = GR_PAGE_BYTES - into_page, left = w->end - at;
  if (left < bytes) bytes = left;
  GR_OPAQUE(n);
  n &= GR_MAX_SEGMENTS - 1;
  struct gr_segment* segment = &worker->segments[n];
  gr_u64 page_struct = w->folio + (page - w->folio_index) * 64;
  segment->address = page_struct * 64 + worker->page_constant + into_page;
  segment->bytes = bytes;
  segment->folio = w->folio;
  segment->index = w->folio_index;
  worker->segment_count = n + 1;
  w->at = at + bytes;
  return 0;
}

/* Lists what there is of [worker->file_offset, worker->limit), out of worker->batch or, if that is
 * 0, from page `index` of the file on. */
GR_SUBPROGRAM int gr_list_folios(struct gr_worker* worker, gr_u64 index) {
  GR_PROVE(worker);
  struct folio_batch* batch = (struct folio_batch*)worker->batch;
  gr_u64 size = gr_file_size(worker), zero = gr_begin_list(worker);
  struct gr_folio_walk w = {.worker = worker,
                            .at = worker->file_offset,
                            .end = size < worker->limit ? size : worker->limit,
                            .folios_left = GR_BATCH_FOLIOS + zero,
                            .folio = zero,
                            .folio_index = zero,
                            .next_index = index};
  if (batch) {
    w.batch = (gr_u64)batch + bpf_core_field_offset(struct folio_batch, folios);
    gr_u64 count = BPF_CORE_READ(batch, nr);
    if (count < w.folios_left) w.folios_left = count;
  }
  worker->segment_count = 0;
  bpf_loop(GR_LIST_ROUNDS, gr_list_page, &w, 0);
  return 0;
}

/* 1 if the bytes that were just copied are the file's: the folio has not left it meanwhile, and the
 * file has not been cut. */
GR_SUBPROGRAM gr_u64 gr_is_still_there(struct gr_worker* worker, gr_u64 folio, gr_u64 index) {
  GR_PROVE(worker);
  struct gr_folio_head head;
  if (gr_read_folio(folio, &head) || !gr_is_ours(worker, &head) || head.index != index) return 0;
  gr_u64 size = gr_file_size(worker);
  return size >= worker->file_offset + worker->page_bytes;
}

#endif
