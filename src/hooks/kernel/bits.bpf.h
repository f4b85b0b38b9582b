/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Counting bits: BPF has no instruction for it. */
#ifndef GRAPNEL_HOOKS_KERNEL_BITS_BPF_H
#define GRAPNEL_HOOKS_KERNEL_BITS_BPF_H

#include "lower/bpf/verifier.bpf.h"

GR_INLINE gr_u64 gr_count_bits(gr_u64 bits) {
  bits -= bits >> 1 & 0x5555555555555555ull;
  bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0full;
  return bits * 0x0101010101010101ull >> 56;
}

#endif
