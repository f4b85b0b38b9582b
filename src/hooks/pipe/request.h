/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the session at the pipe asks of pipe.bpf.c: the context of that program. */
#ifndef GRAPNEL_HOOKS_PIPE_REQUEST_H
#define GRAPNEL_HOOKS_PIPE_REQUEST_H

#include "lower/op_abi.h"

struct gr_request {
  gr_u32 worker;
  gr_u32 pipe_fd;
  gr_u64 page_constant; /* address of a page's bytes = address of its struct page * 64 + this */
};

#endif
