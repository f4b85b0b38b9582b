/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: where the kernel has got pages of the page cache for a read, be it read(), splice(),
 * sendfile() or io_uring: the end of filemap_get_pages(). One of three places is used; README.md
 * beside this file says what each knows and since when it is there. */
#include "hooks/kernel/target.bpf.h"
#include "hooks/pagecache/folios.bpf.h"

struct bpf_raw_tracepoint_args {
  gr_u64 args[3]; /* struct address_space*, first page, last page */
};

GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  if (bpf_probe_read_kernel(to, bytes, (void*)segment->address)) return GR_FAULTED;
  return gr_is_still_there(worker, segment->folio, segment->index) ? GR_COPIED : GR_GONE;
}

/* The worker, if its session is feeding. */
GR_INLINE struct gr_worker* gr_feeding(void) {
  struct gr_worker* worker = gr_target();
  return worker && worker->file_offset < worker->limit ? worker : 0;
}

GR_INLINE int gr_take(struct gr_worker* worker, gr_u64 index) {
  gr_list_folios(worker, index);
  worker->batch = 0;
  return gr_do_segments(worker);
}

SEC("raw_tp/mm_filemap_get_pages") int gr_pagecache_event(struct bpf_raw_tracepoint_args* context) {
  struct gr_worker* worker = gr_feeding();
  if (!worker || context->args[0] != worker->mapping) return 0;
  worker->batch = 0;
  return gr_take(worker, context->args[1]);
}

/* The third argument is the batch in all kernels that have the function under this name and folios
 * (5.17 .. 7.2), whatever else has come and gone. It goes through memory: a pointer of a type that
 * the verifier knows cannot be handed to a subprogram as a number. */
SEC("fexit/filemap_get_pages") int gr_pagecache_return(gr_u64* context) {
  gr_u64 result = 0;
  struct gr_worker* worker = gr_feeding();
  if (!worker || bpf_get_func_ret(context, &result) || (int)result) return 0;
  GR_IN_MEMORY(worker->batch) = context[2];
  return gr_take(worker, 0);
}

SEC("kprobe/filemap_get_pages") int gr_pagecache_call(struct pt_regs* registers) {
  struct gr_worker* worker = gr_feeding();
  if (worker) worker->batch = BPF_CORE_READ(registers, dx);
  return 0;
}

/* The batch lies on the caller's stack: it is still there. */
SEC("kretprobe/filemap_get_pages") int gr_pagecache_result(struct pt_regs* registers) {
  struct gr_worker* worker = gr_feeding();
  if (!worker || !worker->batch) return 0;
  if ((int)BPF_CORE_READ(registers, ax)) {
    worker->batch = 0;
    return 0;
  }
  return gr_take(worker, 0);
}
