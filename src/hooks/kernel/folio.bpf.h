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

/* The word of a page that says which folio it belongs to. */
GR_INLINE gr_u64 gr_compound_word(gr_u64 page) {
  struct page___compound_info* newer = (struct page___compound_info*)page;
  if (bpf_core_field_exists(newer->compound_info)) return BPF_CORE_READ(newer, compound_info);
  return BPF_CORE_READ((struct page*)page, compound_head);
}

/* The folio's first page, by that word. */
GR_INLINE gr_u64 gr_head_of(gr_u64 page, gr_u64 word) {
  if (!(word & 1)) return page;
  /* No struct page lies that high: the kernel keeps this place for other things. */
  return word >> 40 == 0xffffff ? page & word : word - 1;
}

GR_INLINE struct folio* gr_folio_of_page(struct page* page) {
  return (struct folio*)gr_head_of((gr_u64)page, gr_compound_word((gr_u64)page));
}

/* The file; NULL if it is no page of a file (anonymous memory, buffers of drivers, of which other
 * words lie where the mapping is: so it is looked at from both sides). */
GR_INLINE struct inode* gr_inode_of_folio(struct folio* folio) {
  struct address_space* mapping = BPF_CORE_READ(folio, mapping);
  if (!mapping || ((gr_u64)mapping & GR_MAPPING_BITS)) return 0;
  struct inode* inode = BPF_CORE_READ(mapping, host);
  return inode && BPF_CORE_READ(inode, i_mapping) == mapping ? inode : 0;
}

GR_INLINE gr_u64 gr_has_flag(gr_u64 flags, gr_u64 flag) { return flags >> (flag & 63) & 1; }

/* Of one with these flags; 1 where a kernel does not say. */
GR_INLINE gr_u64 gr_pages_by_flags(struct folio* folio, gr_u64 flags) {
  if (!gr_has_flag(flags, bpf_core_enum_value(enum pageflags, PG_head))) return 1;
  if (bpf_core_field_exists(folio->_nr_pages)) return BPF_CORE_READ(folio, _nr_pages);
  if (bpf_core_field_exists(folio->_folio_nr_pages)) return BPF_CORE_READ(folio, _folio_nr_pages);
  return 1;
}

GR_INLINE gr_u64 gr_pages_of_folio(struct folio* folio) {
  return gr_pages_by_flags(folio, BPF_CORE_READ(folio, flags));
}

#endif
