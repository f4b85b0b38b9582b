/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Numbers of processes as one PID namespace sees them. */
#ifndef GRAPNEL_HOOKS_KERNEL_PROCESS_NUMBER_BPF_H
#define GRAPNEL_HOOKS_KERNEL_PROCESS_NUMBER_BPF_H

#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"

enum { GR_PF_KTHREAD = 0x00200000 };

GR_INLINE struct upid* gr_upid_at(struct pid* pid, gr_u64 level) {
  return (struct upid*)((gr_u64)pid + bpf_core_field_offset(struct pid, numbers) +
                        level * bpf_core_type_size(struct upid));
}

/* Depth and address of the calling process's own namespace; 0: this kernel does not tell. */
GR_INLINE gr_u64 gr_own_namespace(gr_u64* level) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct pid* pid = BPF_CORE_READ(task, group_leader, thread_pid);
  if (!pid) return 0;
  *level = BPF_CORE_READ(pid, level);
  struct upid* number = gr_upid_at(pid, *level);
  return (gr_u64)BPF_CORE_READ(number, ns);
}

/* Number of the calling process in that namespace; 0: it is not seen there. */
GR_INLINE gr_u32 gr_number_in(gr_u64 namespace_address, gr_u64 level) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct pid* pid = BPF_CORE_READ(task, group_leader, thread_pid);
  if (!pid || level > BPF_CORE_READ(pid, level)) return 0;
  struct upid* number = gr_upid_at(pid, level);
  if ((gr_u64)BPF_CORE_READ(number, ns) != namespace_address) return 0;
  return BPF_CORE_READ(number, nr);
}

#endif
