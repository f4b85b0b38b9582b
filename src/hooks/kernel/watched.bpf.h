/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The first and cheapest look at places that every process of the machine passes: whose thread is
 * it? Everybody else pays for this one, and for no more. */
#ifndef GRAPNEL_HOOKS_KERNEL_WATCHED_BPF_H
#define GRAPNEL_HOOKS_KERNEL_WATCHED_BPF_H

#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"

struct gr_watched {
  gr_u32 tgid;
  gr_u32 unused;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_watched);
} gr_watched SEC(".maps");

/* 1 if the calling thread, `id`, is one of the process that is watched. */
GR_INLINE gr_u64 gr_is_watched(gr_u64 id) {
  gr_u32 zero = 0;
  struct gr_watched* watched = bpf_map_lookup_elem(&gr_watched, &zero);
  return watched && watched->tgid == id >> 32;
}

#endif
