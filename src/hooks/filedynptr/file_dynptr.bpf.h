/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A file's bytes by dynptr, since 6.19. Programs that name these functions are refused before. */
#ifndef GRAPNEL_HOOKS_FILEDYNPTR_FILE_DYNPTR_BPF_H
#define GRAPNEL_HOOKS_FILEDYNPTR_FILE_DYNPTR_BPF_H

#include "lower/bpf/kernel.bpf.h"

struct bpf_dynptr {
  gr_u64 opaque[2];
};

/* The dynptr must be discarded, whatever comes of it. */
extern int bpf_dynptr_from_file(struct file* file, gr_u32 flags, struct bpf_dynptr* made) __ksym;
extern int bpf_dynptr_file_discard(struct bpf_dynptr* made) __ksym;

#endif
