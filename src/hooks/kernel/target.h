/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What target.bpf.h and the sessions of hooks that every process of the machine passes share. */
#ifndef GRAPNEL_HOOKS_KERNEL_TARGET_H
#define GRAPNEL_HOOKS_KERNEL_TARGET_H

#include "lower/op_abi.h"

/* Context of the program gr_arm: names the calling thread's worker, and the file. */
struct gr_arm_request {
  gr_u32 worker;
  gr_u32 fd;    /* of the file, in the calling process */
  gr_u32 armed; /* 1: from now on, 0: no longer */
  gr_u32 done;  /* out: 1 */
};

#endif
