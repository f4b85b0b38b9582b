/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* For anchors at places that every process of the machine passes: whose bytes are ours? The thread
 * that drives a session names itself before (gr_arm), by what the kernel calls it: inside a PID
 * namespace its own idea of its number would be wrong, as would be stat's of device and inode on
 * overlayfs. */
#ifndef GRAPNEL_HOOKS_KERNEL_TARGET_BPF_H
#define GRAPNEL_HOOKS_KERNEL_TARGET_BPF_H

#include "hooks/kernel/file_of.bpf.h"
#include "hooks/kernel/target.h"
#include "hooks/kernel/watched.bpf.h"
#include "lower/bpf/anchor.bpf.h"

/* Worker of a thread. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, gr_u32);
} gr_targets SEC(".maps");

/* The calling thread's worker; NULL for everybody who is not driving a session. */
GR_INLINE struct gr_worker* gr_target(void) {
  gr_u64 id = bpf_get_current_pid_tgid();
  if (!gr_is_watched(id)) return 0;
  gr_u32 thread = id;
  gr_u32* worker = bpf_map_lookup_elem(&gr_targets, &thread);
  return worker ? gr_worker_of(*worker) : 0;
}

SEC("syscall") int gr_arm(struct gr_arm_request* request) {
  gr_u32 zero = 0, number = request->worker;
  gr_u64 id = bpf_get_current_pid_tgid();
  gr_u32 thread = id;
  if (!request->armed) {
    request->done = bpf_map_delete_elem(&gr_targets, &thread) == 0;
    return 0;
  }
  struct gr_watched* watched = bpf_map_lookup_elem(&gr_watched, &zero);
  struct gr_worker* worker = gr_worker_of(number);
  struct file* file = gr_file_of(request->fd);
  if (!watched || !worker || !file) return 0;
  worker->mapping = (gr_u64)BPF_CORE_READ(file, f_mapping);
  worker->inode = (gr_u64)BPF_CORE_READ(file, f_mapping, host);
  watched->tgid = id >> 32;
  request->done = bpf_map_update_elem(&gr_targets, &thread, &number, 0) == 0;
  return 0;
}

#endif
