/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: a program of type syscall, run by the session when splice() has filled the pipe. */
#include "hooks/pipe/pages.bpf.h"
#include "hooks/pipe/request.h"

/* The pipe holds a reference to the page: it stays what it is. */
GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  return bpf_probe_read_kernel(to, bytes, (void*)segment->address) ? GR_FAULTED : GR_COPIED;
}

SEC("syscall") int gr_pipe(struct gr_request* request) {
  struct gr_worker* worker = gr_worker_of(request->worker);
  if (!worker) return 1;
  gr_take_pipe(worker, request->pipe_fd, request->page_constant);
  if (worker->status) return 0;
  return gr_do_segments(worker);
}
