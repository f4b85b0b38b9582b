/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The layer of the page cache: pages that come, and pages that are touched through a mapping. */
#ifndef GRAPNEL_TRACE_CACHE_BPF_H
#define GRAPNEL_TRACE_CACHE_BPF_H

#include "hooks/kernel/folio.bpf.h"
#include "trace/calls.bpf.h"

/* 1: the calling process and the file are among those that are traced. */
GR_INLINE gr_u64 gr_is_traced(const struct gr_file_id* file) {
  struct gr_control* control = gr_control();
  return control && !gr_is_ignored(control) && !gr_is_filtered(control, file);
}

/* The file that the calling thread is reading, if it is this one: its name is known best there. */
GR_INLINE gr_u64 gr_open_file(const struct gr_file_id* file) {
  struct gr_call* call = gr_call();
  if (!call || (call->kind != GR_CALL_READ && call->kind != GR_CALL_SEND)) return 0;
  return call->file.inode == file->inode && call->file.device == file->device ? call->file_address
                                                                              : 0;
}

GR_INLINE gr_u64 gr_is_writing(void) {
  struct gr_call* call = gr_call();
  return call && call->kind == GR_CALL_WRITE;
}

/* A folio has come into the page cache. What a write() puts there is not read from anywhere. */
GR_INLINE int gr_add_folio(gr_u64 address) {
  struct folio* folio = (struct folio*)address;
  struct inode* inode = gr_inode_of_folio(folio);
  struct gr_subject subject = {.inode = (gr_u64)inode};
  if (gr_is_writing() || !inode || !gr_identify_inode(inode, &subject.key.file)) return 0;
  gr_u64 page = BPF_CORE_READ(folio, index), pages = gr_pages_of_folio(folio);
  gr_identify_process(&subject.key.process);
  gr_add_pages(&subject.key.file, &subject.key.process, page, pages);
  if (!gr_is_traced(&subject.key.file)) return 0;
  subject.file = gr_open_file(&subject.key.file);
  struct gr_counts* counts = gr_own_row(&subject);
  if (!counts) return 0;
  GR_ADD(counts->added_bytes, pages << GR_PAGE_SHIFT);
  if (!gr_wants_events()) return 0;
  struct gr_event event = gr_event_of(&subject, GR_EVENT_ADD);
  event.offset = page << GR_PAGE_SHIFT;
  event.bytes = pages << GR_PAGE_SHIFT;
  gr_send(&event);
  return 0;
}

/* Pages [page, page + pages) of a mapped file are touched: they are read by this. */
GR_INLINE int gr_touch(gr_u64 mapping, gr_u64 page, gr_u64 pages) {
  struct inode* inode = BPF_CORE_READ((struct address_space*)mapping, host);
  struct gr_subject subject = {.inode = (gr_u64)inode};
  if (!inode || !gr_identify_inode(inode, &subject.key.file)) return 0;
  gr_read_pages(&subject.key.file, page << GR_PAGE_SHIFT, pages << GR_PAGE_SHIFT);
  if (!gr_is_traced(&subject.key.file)) return 0;
  gr_identify_process(&subject.key.process);
  struct gr_counts* counts = gr_own_row(&subject);
  if (!counts) return 0;
  GR_ADD(counts->faults, 1);
  if (!gr_wants_events()) return 0;
  struct gr_event event = gr_event_of(&subject, GR_EVENT_FAULT);
  event.offset = page << GR_PAGE_SHIFT;
  event.bytes = pages << GR_PAGE_SHIFT;
  gr_send(&event);
  return 0;
}

/* The page cache has the first pages for a call. */
GR_INLINE int gr_got_pages(void) {
  struct gr_call* call = gr_call();
  if (call && call->kind != GR_CALL_NONE && !call->pages_ns) call->pages_ns = bpf_ktime_get_ns();
  return 0;
}

#endif
