/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What filedynptr.bpf.c and its session share. */
#ifndef GRAPNEL_HOOKS_FILEDYNPTR_FILEDYNPTR_H
#define GRAPNEL_HOOKS_FILEDYNPTR_FILEDYNPTR_H

#include "lower/op_abi.h"

enum {
  GR_FILE_CHUNK_BYTES = 32 << 10,  /* read in one go */
  GR_FILE_BUFFER_BYTES = 256 << 10 /* of one run: stays in the CPU's second level cache */
};

struct gr_file_buffer {
  gr_u8 bytes[GR_FILE_BUFFER_BYTES];
};

#endif
