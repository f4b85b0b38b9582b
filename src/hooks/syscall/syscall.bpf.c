/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: the end of the system call pread64, where the data has just been copied to the reader.
 * The tracepoint sys_exit is the most stable place there is; its arguments (registers, result) have
 * not changed since it was made (2.6.32, 1c569f0264ea). x86-64 keeps the call's arguments in the
 * registers, so sys_enter is not needed: one program less for every call of the machine. */
#include "hooks/kernel/target.bpf.h"

enum { GR_NR_PREAD64 = 17 };

struct bpf_raw_tracepoint_args {
  gr_u64 args[2]; /* struct pt_regs*, result */
};

/* The reader's memory, in user space: present, since the kernel has just written it. */
GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  return bpf_probe_read_user(to, bytes, (void*)segment->address) ? GR_FAULTED : GR_COPIED;
}

struct gr_buffer_walk {
  struct gr_worker* worker;
  gr_u64 address, bytes;
};

static long gr_take_piece(gr_u64 i, struct gr_buffer_walk* w) {
  gr_u64 at = i * GR_PAGE_BYTES;
  if (at >= w->bytes) return 1;
  gr_u64 n = i & (GR_MAX_SEGMENTS - 1);
  GR_OPAQUE(n);
  struct gr_segment* segment = &w->worker->segments[n];
  gr_u64 rest = w->bytes - at;
  segment->address = w->address + at;
  segment->bytes = rest < GR_PAGE_BYTES ? rest : GR_PAGE_BYTES;
  w->worker->segment_count = n + 1;
  return 0;
}

GR_SUBPROGRAM int gr_take_buffer(struct gr_worker* worker, gr_u64 address, gr_u64 bytes) {
  GR_PROVE(worker);
  struct gr_buffer_walk w = {.worker = worker, .address = address, .bytes = bytes};
  worker->segment_count = 0;
  if (bytes > GR_MAX_SEGMENTS * GR_PAGE_BYTES)
    gr_fail(worker, GR_STATUS_SEGMENTS);
  else
    bpf_loop(GR_MAX_SEGMENTS, gr_take_piece, &w, 0);
  return 0;
}

SEC("raw_tp/sys_exit") int gr_syscall(struct bpf_raw_tracepoint_args* context) {
  struct gr_worker* worker = gr_target();
  if (!worker) return 0;
  struct pt_regs* registers = (struct pt_regs*)context->args[0];
  gr_s64 bytes = context->args[1];
  /* The session's other reads come while it is not feeding: limit is 0 then. */
  if (bytes <= 0 || BPF_CORE_READ(registers, orig_ax) != GR_NR_PREAD64) return 0;
  if (BPF_CORE_READ(registers, r10) != worker->file_offset) return 0;
  if (worker->file_offset + bytes > worker->limit) return 0;
  gr_take_buffer(worker, BPF_CORE_READ(registers, si), bytes);
  if (worker->status) return 0;
  gr_do_segments(worker);
  return 0;
}
