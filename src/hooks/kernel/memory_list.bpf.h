/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Memory that lies in one piece, or in those that iovecs name, as segments. */
#ifndef GRAPNEL_HOOKS_KERNEL_MEMORY_LIST_BPF_H
#define GRAPNEL_HOOKS_KERNEL_MEMORY_LIST_BPF_H

#include "lower/bpf/anchor.bpf.h"

struct gr_iovec {
  gr_u64 address, bytes;
};

struct gr_memory_walk {
  struct gr_worker* worker;
  gr_u64 bytes;         /* still to be listed */
  gr_u64 vectors;       /* address of the iovec to come */
  struct gr_iovec here; /* what is left of the memory at hand */
};

/* 1: it cannot be read. */
GR_INLINE long gr_next_memory(struct gr_memory_walk* w) {
  if (!w->vectors || bpf_probe_read_user(&w->here, sizeof w->here, (void*)w->vectors)) return 1;
  w->vectors += sizeof w->here;
  return 0;
}

static long gr_list_memory(gr_u64 i, struct gr_memory_walk* w) {
  struct gr_worker* worker = w->worker;
  if (!w->bytes) return 1;
  if (!w->here.bytes) return gr_next_memory(w);
  gr_u64 n = worker->segment_count, bytes = GR_PAGE_BYTES;
  if (n >= GR_MAX_SEGMENTS) return 1;
  if (w->here.bytes < bytes) bytes = w->here.bytes;
  if (w->bytes < bytes) bytes = w->bytes;
  n &= GR_MAX_SEGMENTS - 1;
  GR_OPAQUE(n);
  struct gr_segment* segment = &worker->segments[n];
  segment->address = w->here.address;
  segment->bytes = bytes;
  worker->segment_count = n + 1;
  w->here.address += bytes;
  w->here.bytes -= bytes;
  w->bytes -= bytes;
  return 0;
}

/* Lists the first `bytes` bytes of the memory at `address`, or, if it is `vectored`, of that which
 * the iovecs there name. */
GR_SUBPROGRAM int gr_take_memory(struct gr_worker* worker, gr_u64 address, gr_u64 bytes,
                                 gr_u64 vectored) {
  GR_PROVE(worker);
  gr_u64 zero = gr_begin_list(worker);
  struct gr_memory_walk w = {.worker = worker, .bytes = bytes, .vectors = zero};
  w.here.address = w.here.bytes = zero;
  if (vectored) {
    w.vectors = address;
  } else {
    w.here.address = address;
    w.here.bytes = bytes;
  }
  bpf_loop(2 * GR_MAX_SEGMENTS, gr_list_memory, &w, 0);
  if (w.bytes) gr_fail(worker, GR_STATUS_SEGMENTS);
  return 0;
}

#endif
