/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which pages of the page cache have come since they were last read: their next reader is not
 * served from the cache, everybody after that is. One bit for each page, in windows of a file;
 * windows that nobody has needed for long are forgotten, and count as cached. */
#ifndef GRAPNEL_TRACE_WINDOWS_BPF_H
#define GRAPNEL_TRACE_WINDOWS_BPF_H

#include "hooks/kernel/bits.bpf.h"
#include "trace/maps.bpf.h"

enum {
  GR_PAGE_SHIFT = 12,
  GR_PAGE_BYTES = 1 << GR_PAGE_SHIFT,
  GR_WINDOW_SHIFT = 6,
  GR_WINDOW_PAGES = 1 << GR_WINDOW_SHIFT,
  GR_MOST_WINDOWS = 1 << 20 /* in one call: 256 GiB, more than a call can read */
};

/* Pages [page, end) of a file. */
struct gr_window_walk {
  struct gr_window_key key;
  gr_u64 page, end;
  gr_u64 begin_byte, end_byte; /* of what is read */
  gr_u64 fresh_bytes;          /* out */
  const struct gr_process_id* owner;
};

/* Bits of the pages of window `number` that lie in the walk. */
GR_INLINE gr_u64 gr_window_mask(const struct gr_window_walk* w, gr_u64 number) {
  gr_u64 first = number << GR_WINDOW_SHIFT, mask = ~0ull;
  if (w->page > first) mask <<= (w->page - first) & (GR_WINDOW_PAGES - 1);
  if (w->end < first + GR_WINDOW_PAGES)
    mask &= ~0ull >> ((GR_WINDOW_PAGES - (w->end - first)) & (GR_WINDOW_PAGES - 1));
  return mask;
}

static long gr_read_window(gr_u64 i, struct gr_window_walk* w) {
  gr_u64 number = (w->page >> GR_WINDOW_SHIFT) + i, first = number << GR_WINDOW_SHIFT;
  if (first >= w->end) return 1;
  w->key.number = number;
  struct gr_window* window = bpf_map_lookup_elem(&gr_windows, &w->key);
  if (!window || !window->fresh) return 0;
  gr_u64 mask = gr_window_mask(w, number);
  gr_u64 found = __sync_fetch_and_and(&window->fresh, ~mask) & mask;
  gr_u64 bytes = gr_count_bits(found) << GR_PAGE_SHIFT;
  /* Of the first and of the last page only a part may have been read. */
  if (i == 0 && found >> (w->page & (GR_WINDOW_PAGES - 1)) & 1)
    bytes -= w->begin_byte & (GR_PAGE_BYTES - 1);
  if (first + GR_WINDOW_PAGES >= w->end && found >> ((w->end - 1) & (GR_WINDOW_PAGES - 1)) & 1)
    bytes -= -w->end_byte & (GR_PAGE_BYTES - 1);
  w->fresh_bytes += bytes;
  return 0;
}

/* [offset, offset + bytes) of the file is read: how many of the bytes lie in pages that nobody has
 * read since they came? From now on they have been read. */
GR_SUBPROGRAM gr_u64 gr_read_pages(struct gr_file_id* file, gr_u64 offset, gr_u64 bytes) {
  GR_PROVE(file);
  if (!bytes) return 0;
  struct gr_window_walk w = {.key.file = *file,
                             .page = offset >> GR_PAGE_SHIFT,
                             .end = (offset + bytes + GR_PAGE_BYTES - 1) >> GR_PAGE_SHIFT,
                             .begin_byte = offset,
                             .end_byte = offset + bytes};
  bpf_loop(GR_MOST_WINDOWS, gr_read_window, &w, 0);
  return w.fresh_bytes < bytes ? w.fresh_bytes : bytes;
}

static long gr_add_window(gr_u64 i, struct gr_window_walk* w) {
  gr_u64 number = (w->page >> GR_WINDOW_SHIFT) + i, first = number << GR_WINDOW_SHIFT;
  if (first >= w->end) return 1;
  w->key.number = number;
  gr_u64 mask = gr_window_mask(w, number);
  struct gr_window* window = bpf_map_lookup_elem(&gr_windows, &w->key);
  if (!window) {
    struct gr_window made = {.fresh = mask, .owner = *w->owner};
    bpf_map_update_elem(&gr_windows, &w->key, &made, 0);
    return 0;
  }
  if (!window->fresh)
    window->owner = *w->owner;
  else if (window->owner.tgid != w->owner->tgid || window->owner.start_ns != w->owner->start_ns)
    window->owner.kind = GR_PROCESS_UNKNOWN;
  __sync_fetch_and_or(&window->fresh, mask);
  return 0;
}

/* Pages [page, page + count) of the file have come, for `owner`. */
GR_SUBPROGRAM int gr_add_pages(struct gr_file_id* file, struct gr_process_id* owner, gr_u64 page,
                               gr_u64 count) {
  GR_PROVE(file);
  GR_PROVE(owner);
  struct gr_process_id copy = *owner;
  struct gr_window_walk w = {.key.file = *file, .page = page, .end = page + count, .owner = &copy};
  bpf_loop(GR_MOST_WINDOWS, gr_add_window, &w, 0);
  return 0;
}

/* For whom page `page` came into the cache: 1 and `owner`, if it was one process. */
GR_INLINE gr_u64 gr_owner_of(const struct gr_file_id* file, gr_u64 page,
                             struct gr_process_id* owner) {
  struct gr_window_key key = {.file = *file, .number = page >> GR_WINDOW_SHIFT};
  struct gr_window* window = bpf_map_lookup_elem(&gr_windows, &key);
  if (!window || window->owner.kind != GR_PROCESS_USER) return 0;
  *owner = window->owner;
  return 1;
}

#endif
