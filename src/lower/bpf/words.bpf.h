/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Text eight bytes at a time. BPF has no vectors, no count-trailing-zeroes and no conditional
 * moves; what has no branch costs the verifier one pass and the CPU no misprediction.
 *
 * Words are little endian: the first byte of the text is the lowest. "Flags" means 0x80 in the byte
 * that is meant and 0 elsewhere. */
#ifndef GRAPNEL_LOWER_BPF_WORDS_BPF_H
#define GRAPNEL_LOWER_BPF_WORDS_BPF_H

#include "lower/bpf/verifier.bpf.h"
#include "lower/op_abi.h"

#define GR_ONES 0x0101010101010101ull
#define GR_HIGH 0x8080808080808080ull
#define GR_LOW7 0x7f7f7f7f7f7f7f7full
#define GR_REPEAT(byte) (GR_ONES * (gr_u64)(byte))

/* Eight bytes at any address. The pointer's type promises an alignment that is not there: BPF on
 * x86-64 needs none, and with the honest type LLVM would load byte by byte. */
GR_INLINE gr_u64 gr_load8(const void* at) { return *(const gr_u64*)at; }

/* Flags of the bytes that equal `byte`; exact. */
GR_INLINE gr_u64 gr_equal_bytes(gr_u64 word, gr_u64 repeated) {
  gr_u64 x = word ^ repeated;
  return ~(((x & GR_LOW7) + GR_LOW7) | x) & GR_HIGH;
}

/* Number of zero bits below the lowest one; 0 for 0. By a de Bruijn sequence. */
static const gr_u8 gr_de_bruijn[64] = {
    0,  1,  2,  53, 3,  7,  54, 27, 4,  38, 41, 8,  34, 55, 48, 28, 62, 5,  39, 46, 44, 42,
    22, 9,  24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
    23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12};

GR_INLINE gr_u64 gr_lowest_bit(gr_u64 x) { return x & (0 - x); }
GR_INLINE gr_u64 gr_bit_number(gr_u64 single_bit) {
  GR_OPAQUE(single_bit); /* else LLVM sees a cttz, and makes its own of it, with a branch for 0 */
  return gr_de_bruijn[single_bit * 0x022fdd63cc95386dull >> 58];
}
GR_INLINE gr_u64 gr_trailing_zeroes(gr_u64 x) { return gr_bit_number(gr_lowest_bit(x)); }

/* 64 bytes as a bitmap of those that equal a character, first in the order that is cheap to make,
 * "by lanes": bit 8 * i + k for byte i of word k. All words are ORed into *all. `mask` (repeated,
 * too) says which bits count: with all ones a character is looked for, with fewer a set of them.
 *
 * This form is right only if none of the 64 bytes is above 127: then no addition carries into the
 * next byte. The caller looks at *all afterwards. */
GR_INLINE gr_u64 gr_lanes_ascii(const gr_u8* at, gr_u64 mask, gr_u64 repeated, gr_u64* all) {
  gr_u64 others = 0; /* flags of the bytes that differ */
#pragma unroll
  for (int k = 0; k < 8; k++) {
    gr_u64 word = gr_load8(at + 8 * k);
    *all |= word;
    GR_OPAQUE(*all); /* else the words are kept, and added up at the end */
    gr_u64 differs = (((word & mask) ^ repeated) + GR_LOW7) & GR_HIGH;
    GR_OPAQUE(differs); /* else each word gets a mask of its own, a constant of 64 bits more */
    others = others >> 1 | differs;
  }
  return ~others;
}

GR_INLINE gr_u64 gr_lanes_exact(const gr_u8* at, gr_u64 repeated) {
  gr_u64 equal = 0;
#pragma unroll
  for (int k = 0; k < 8; k++) {
    gr_u64 flags = gr_equal_bytes(gr_load8(at + 8 * k), repeated);
    GR_OPAQUE(flags);
    equal = equal >> 1 | flags;
  }
  return equal;
}

/* From lanes to text order (bit 8 * k + i), or back: transposes an 8 x 8 bit matrix (H. S. Warren,
 * Hacker's Delight, 7-3). */
GR_INLINE gr_u64 gr_transpose(gr_u64 x) {
  gr_u64 t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaull;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000ccccull;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ull;
  return x ^ t ^ (t << 28);
}

/* Bit i of the result: the parity of the bits 0..i. */
GR_INLINE gr_u64 gr_prefix_xor(gr_u64 x) {
  x ^= x << 1;
  x ^= x << 2;
  x ^= x << 4;
  x ^= x << 8;
  x ^= x << 16;
  return x ^ x << 32;
}

#endif
