/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: the end of a system call that reads, where the data has just been copied to the reader.
 * The tracepoint sys_exit is the most stable place there is; its arguments (registers, result) have
 * not changed since it was made (2.6.32, 1c569f0264ea). x86-64 keeps the call's arguments in the
 * registers, so sys_enter is not needed: one program less for every call of the machine. */
#include "hooks/kernel/memory_list.bpf.h"
#include "hooks/kernel/target.bpf.h"

/* Of x86-64, for good. */
enum { GR_NR_READ = 0, GR_NR_PREAD64 = 17, GR_NR_READV = 19, GR_NR_PREADV2 = 327 };
#define GR_NOWHERE (~0ull)

struct gr_sys_exit {
  gr_u64 registers; /* struct pt_regs* */
  gr_s64 result;
};

/* The reader's memory, in user space: present, since the kernel has just written it. */
GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  return bpf_probe_read_user(to, bytes, (void*)segment->address) ? GR_FAULTED : GR_COPIED;
}

/* --- Which call it was --- */

GR_INLINE gr_u64 gr_is_vectored(gr_u64 call) {
  return call == GR_NR_READV || call == GR_NR_PREADV2;
}

/* Where in the worker's file the call has begun to read `bytes` bytes; GR_NOWHERE for calls that
 * read nothing there. */
GR_SUBPROGRAM gr_u64 gr_read_from(struct gr_worker* worker, gr_u64 address, gr_u64 bytes) {
  GR_PROVE(worker);
  struct pt_regs* registers = (struct pt_regs*)address;
  gr_u64 call = BPF_CORE_READ(registers, orig_ax);
  if (call != GR_NR_PREAD64 && call != GR_NR_PREADV2 && call != GR_NR_READ && call != GR_NR_READV)
    return GR_NOWHERE;
  struct file* file = gr_file_of(BPF_CORE_READ(registers, di));
  if (!file || (gr_u64)BPF_CORE_READ(file, f_mapping) != worker->mapping) return GR_NOWHERE;
  if (call == GR_NR_PREAD64 || call == GR_NR_PREADV2) return BPF_CORE_READ(registers, r10);
  return BPF_CORE_READ(file, f_pos) - bytes;
}

GR_INLINE int gr_return(struct gr_worker* worker, gr_u64 registers, gr_s64 bytes) {
  /* The session's other reads come while it is not feeding: limit is 0 then. */
  if (!worker || bytes <= 0 || worker->file_offset + bytes > worker->limit) return 0;
  if (gr_read_from(worker, registers, bytes) != worker->file_offset) return 0;
  struct pt_regs* at = (struct pt_regs*)registers;
  gr_take_memory(worker, BPF_CORE_READ(at, si), bytes, gr_is_vectored(BPF_CORE_READ(at, orig_ax)));
  if (worker->status) return 0;
  gr_do_segments(worker);
  return 0;
}

SEC("raw_tp/sys_exit") int gr_syscall(struct gr_sys_exit* exit) {
  return gr_return(gr_target(), exit->registers, exit->result);
}

/* The verifier knows the registers by type, and takes them for no number: through memory, and only
 * for our own thread, since every system call of the machine comes by. */
SEC("tp_btf/sys_exit") int gr_syscall_typed(gr_u64* context) {
  struct gr_worker* worker = gr_target();
  struct gr_sys_exit exit;
  if (!worker || bpf_probe_read_kernel(&exit, sizeof exit, context)) return 0;
  return gr_return(worker, exit.registers, exit.result);
}
