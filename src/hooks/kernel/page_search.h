/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What page_constant.cpp asks of page_search.bpf.c: the context of that program. */
#ifndef GRAPNEL_HOOKS_KERNEL_PAGE_SEARCH_H
#define GRAPNEL_HOOKS_KERNEL_PAGE_SEARCH_H

#include "lower/op_abi.h"

enum {
  GR_SEARCH_PAGES = 16,     /* pages of random bytes in the pipe */
  GR_SEARCH_WORDS = 8,      /* compared at the beginning of each */
  GR_SEARCH_STEP_BITS = 30, /* the kernel aligns the direct map to 1 GiB */
  GR_SEARCH_STEPS = 1 << 17 /* 128 TiB: the largest direct map there is */
};

struct gr_page_search {
  gr_u32 pipe_fd;
  gr_u32 found;       /* out: 1: a constant was found for the first page */
  gr_u64 first_frame; /* physical page number of the first page */
  gr_u64 constant;    /* out: address of a page's bytes - 64 * address of its struct page */
  gr_u64 right_pages; /* out: pages whose bytes are where the constant says */
  gr_u64 words[GR_SEARCH_PAGES][GR_SEARCH_WORDS];
};

#endif
