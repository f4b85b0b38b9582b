/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* splice() from a file fills a pipe with references to the pages of the page cache; while they are
 * in it, they stay where they are. This lists them as segments. */
#ifndef GRAPNEL_HOOKS_PIPE_PAGES_BPF_H
#define GRAPNEL_HOOKS_PIPE_PAGES_BPF_H

#include "hooks/kernel/file_of.bpf.h"
#include "lower/bpf/anchor.bpf.h"

struct gr_pipe_buffer {
  gr_u64 page;
  gr_u32 offset, bytes;
};

struct gr_pipe_walk {
  struct gr_worker* worker;
  gr_u64 page_constant;
  gr_u64 buffers;     /* address of the ring */
  gr_u64 next, count; /* buffers taken, and all */
  gr_u64 mask;
  struct gr_pipe_buffer now; /* what is left of the buffer at hand */
};

GR_INLINE gr_u64 gr_read_pipe_buffer(gr_u64 address, struct gr_pipe_buffer* buffer) {
  struct pipe_buffer* kernel = (struct pipe_buffer*)address;
  /* Decided while loading: the three members lie side by side in all kernels so far. */
  if (bpf_core_field_offset(struct pipe_buffer, page) == 0 &&
      bpf_core_field_offset(struct pipe_buffer, offset) == 8 &&
      bpf_core_field_offset(struct pipe_buffer, len) == 12)
    return bpf_probe_read_kernel(buffer, sizeof *buffer, kernel);
  buffer->page = (gr_u64)BPF_CORE_READ(kernel, page);
  buffer->offset = BPF_CORE_READ(kernel, offset);
  buffer->bytes = BPF_CORE_READ(kernel, len);
  return 0;
}

/* A buffer can be longer than a page: its pages lie side by side in memory then. */
static long gr_take_segment(gr_u64 i, struct gr_pipe_walk* w) {
  if (!w->now.bytes) {
    if (w->next == w->count) return 1;
    gr_u64 size = bpf_core_type_size(struct pipe_buffer);
    if (gr_read_pipe_buffer(w->buffers + (w->next & w->mask) * size, &w->now)) {
      gr_fail(w->worker, GR_STATUS_FAULT);
      return 1;
    }
    w->next++;
    if (!w->now.bytes) return 0;
  }
  gr_u64 n = i & (GR_MAX_SEGMENTS - 1);
  GR_OPAQUE(n);
  gr_u32 bytes = w->now.bytes < GR_PAGE_BYTES ? w->now.bytes : GR_PAGE_BYTES;
  struct gr_segment* segment = &w->worker->segments[n];
  segment->address = w->now.page * 64 + w->page_constant + w->now.offset;
  segment->bytes = bytes;
  w->now.offset += bytes;
  w->now.bytes -= bytes;
  w->worker->segment_count = n + 1;
  return 0;
}

/* Lists what is in the pipe behind descriptor `fd` of this process. */
GR_SUBPROGRAM int gr_take_pipe(struct gr_worker* worker, gr_u32 fd, gr_u64 page_constant) {
  GR_PROVE(worker);
  struct file* file = gr_file_of(fd);
  if (!file) {
    gr_fail(worker, GR_STATUS_PIPE);
    return 0;
  }
  struct pipe_inode_info* pipe = BPF_CORE_READ(file, private_data);
  gr_u32 tail = BPF_CORE_READ(pipe, tail), head = BPF_CORE_READ(pipe, head);
  gr_u32 slots = BPF_CORE_READ(pipe, ring_size);
  gr_u32 used = head - tail;
  if (used > slots || slots & (slots - 1)) {
    gr_fail(worker, GR_STATUS_PIPE);
    return 0;
  }
  struct gr_pipe_walk w = {.worker = worker,
                           .page_constant = page_constant,
                           .buffers = (gr_u64)BPF_CORE_READ(pipe, bufs),
                           .next = tail,
                           .count = (gr_u64)tail + used,
                           .mask = slots - 1,
                           .now = {.bytes = gr_begin_list(worker)}};
  bpf_loop(GR_MAX_SEGMENTS, gr_take_segment, &w, 0);
  if (w.next != w.count || w.now.bytes) gr_fail(worker, GR_STATUS_SEGMENTS);
  return 0;
}

#endif
