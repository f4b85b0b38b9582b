/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* How code is written so that LLVM and the kernel's verifier both take it. */
#ifndef GRAPNEL_LOWER_BPF_VERIFIER_BPF_H
#define GRAPNEL_LOWER_BPF_VERIFIER_BPF_H

#include "lower/op_abi.h"

/* Hides where a value comes from, at no cost. Not volatile: unused ones vanish. */
#define GR_OPAQUE(x) __asm__("" : "+r"(x))

#define GR_INLINE static __attribute__((always_inline)) inline
/* Its own subprogram, verified once and for unknown contents of the memory it is given. All loops
 * live in such functions: inlined, the verifier would multiply their states with those of their
 * callers. */
#define GR_SUBPROGRAM __attribute__((noinline))

/* The verifier lets a global function be called with NULL: it must look. The barrier keeps LLVM
 * from computing with the pointer before that. */
#define GR_PROVE(pointer)                 \
  do {                                    \
    if (!(pointer)) return 0;             \
    __asm__ volatile("" : "+r"(pointer)); \
  } while (0)

/* A variable that is kept in memory, not in a register: what the verifier reads from a map it takes
 * for unknown. A loop's place in a register it would follow through all rounds, differently for
 * records that pass the filter and that do not, and would come to no end. */
#define GR_IN_MEMORY(place) (*(volatile gr_u64*)&(place))

/* In front of a loop of a few rounds: unrolled, it would only make compiling slower. The verifier
 * follows such loops round by round. */
#define GR_KEEP_LOOP _Pragma("clang loop unroll(disable)")

/* In front of a loop over registers, whose number of rounds is a constant when the op is linked. */
#define GR_UNROLL_LATER _Pragma("clang loop unroll(full)")

#endif
