/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Reads by io_uring: their lengths are in the request, when it is submitted; the file is, too, when
 * it completes. Both happen in threads of the process, or in one of the kernel that belongs to the
 * process (workers, SQPOLL). */
#ifndef GRAPNEL_TRACE_URING_BPF_H
#define GRAPNEL_TRACE_URING_BPF_H

#include "trace/cache.bpf.h"

enum { GR_URING_READV = 1, GR_URING_READ_FIXED = 4, GR_URING_READ = 22 };

/* Vectors are not summed: what they ask for is taken to be what they get. */
GR_INLINE int gr_submit_uring(gr_u64 address) {
  struct io_kiocb* request = (struct io_kiocb*)address;
  struct io_rw* rw = (struct io_rw*)address;
  struct gr_control* control = gr_control();
  gr_u8 opcode = BPF_CORE_READ(request, opcode);
  if (opcode != GR_URING_READ && opcode != GR_URING_READV && opcode != GR_URING_READ_FIXED)
    return 0;
  if (!control || gr_is_ignored(control)) return 0;
  struct gr_uring_read read = {.offset = BPF_CORE_READ(rw, ki_pos),
                               .bytes = opcode == GR_URING_READV ? 0 : BPF_CORE_READ(rw, len),
                               .began_ns = bpf_ktime_get_ns()};
  if (bpf_map_update_elem(&gr_uring_reads, &address, &read, 0)) GR_TALLY(lost_calls);
  return 0;
}

GR_INLINE int gr_complete_uring(gr_u64 address) {
  struct gr_control* control = gr_control();
  struct gr_uring_read* found = bpf_map_lookup_elem(&gr_uring_reads, &address);
  if (!control || !found) return 0;
  struct gr_uring_read read = *found;
  bpf_map_delete_elem(&gr_uring_reads, &address);
  struct io_kiocb* request = (struct io_kiocb*)address;
  struct file* file = BPF_CORE_READ(request, file);
  gr_s64 result = (int)BPF_CORE_READ(request, res);
  struct gr_subject subject = {.file = (gr_u64)file};
  if (!file || !gr_identify_inode(BPF_CORE_READ(file, f_inode), &subject.key.file)) return 0;
  if (gr_is_filtered(control, &subject.key.file)) return 0;
  gr_identify_process(&subject.key.process);
  gr_u64 bytes = result > 0 ? result : 0;
  struct gr_transfer t = {.offset = read.offset,
                          .asked_bytes = read.bytes ? read.bytes : bytes,
                          .bytes = bytes,
                          .began_ns = read.began_ns,
                          .direct = (BPF_CORE_READ(file, f_flags) & GR_O_DIRECT) != 0,
                          .error = result < 0 ? -result : 0};
  return gr_count_transfer(&subject, &t);
}

#endif
