/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* From a page to the folio that it belongs to, and what the folio says of the file. */
#ifndef GRAPNEL_HOOKS_KERNEL_FOLIO_BPF_H
#define GRAPNEL_HOOKS_KERNEL_FOLIO_BPF_H

#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"

/* struct page of 7.1 and later (compound_info): a mask that leads to the first page, or its
 * address. */
struct page___compound_info {
  gr_u64 compound_info;
} GR_KERNEL;

/* Low bits of folio.mapping that are not 0: no page of a file. */
enum { GR_MAPPING_BITS = 3 };

GR_INLINE struct folio* gr_folio_of_page(struct page* page) {
  struct page___compound_info* newer = (struct page___compound_info*)page;
  gr_u64 word = bpf_core_field_exists(newer->compound_info) ? BPF_CORE_READ(newer, compound_info)
                                                            : BPF_CORE_READ(page, compound_head);
  if (!(word & 1)) return (struct folio*)page;
  /* No struct page lies that high: the kernel keeps this place for other things. */
  return (struct folio*)(word >> 40 == 0xffffff ? (gr_u64)page & word : word - 1);
}

/* The file; NULL if it is no page of a file (anonymous memory, buffers of drivers, of which other
 * words lie where the mapping is: so it is looked at from both sides). */
GR_INLINE struct inode* gr_inode_of_folio(struct folio* folio) {
  struct address_space* mapping = BPF_CORE_READ(folio, mapping);
  if (!mapping || ((gr_u64)mapping & GR_MAPPING_BITS)) return 0;
  struct inode* inode = BPF_CORE_READ(mapping, host);
  return inode && BPF_CORE_READ(inode, i_mapping) == mapping ? inode : 0;
}

/* 1 where a kernel does not say. */
GR_INLINE gr_u64 gr_pages_of_folio(struct folio* folio) {
  gr_u64 large =
      BPF_CORE_READ(folio, flags) >> (bpf_core_enum_value(enum pageflags, PG_head) & 63) & 1;
  if (!large) return 1;
  if (bpf_core_field_exists(folio->_nr_pages)) return BPF_CORE_READ(folio, _nr_pages);
  if (bpf_core_field_exists(folio->_folio_nr_pages)) return BPF_CORE_READ(folio, _folio_nr_pages);
  return 1;
}

#endif
