/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* For programs that do what a hook's program does for everybody but its session, and nothing else.
 * They are attached to see whether a place can be had, and to measure what it costs. */
#ifndef GRAPNEL_HOOKS_KERNEL_FIRST_LOOK_BPF_H
#define GRAPNEL_HOOKS_KERNEL_FIRST_LOOK_BPF_H

#include "hooks/kernel/watched.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Nobody is watched. The result is unused, and computed all the same. */
GR_INLINE int gr_look(void) {
  gr_u64 watched = gr_is_watched(bpf_get_current_pid_tgid());
  __asm__ volatile("" : : "r"(watched));
  return 0;
}

#endif
