/* The vector instructions of the native templates, one section for each level:
 *
 *   AVX-512   __AVX512BW__   64 bytes per compare, masks in registers
 *   AVX2      __AVX2__       2 x 32 bytes
 *   plain     SSE2, which every x86-64 has: 4 x 16 bytes
 *
 * Level is what the template is compiled for (-m flags); the runner picks one by CPUID. */
#ifndef GRAPNEL_LOWER_NATIVE_VECTOR_H
#define GRAPNEL_LOWER_NATIVE_VECTOR_H

#include <immintrin.h>

#include "lower/op_abi.h"

#define GR_INLINE static inline __attribute__((always_inline))
#define GR_COLD static __attribute__((noinline, cold))
#define GR_LIKELY(x) __builtin_expect(!!(x), 1)
#define GR_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* 64 bytes of input. Loads are unaligned and may read up to 63 bytes behind the data. */
#if defined(__AVX512BW__)

struct gr_bytes64 {
  __m512i v;
};
GR_INLINE struct gr_bytes64 gr_load64(const gr_u8* p) {
  return (struct gr_bytes64){_mm512_loadu_si512(p)};
}
GR_INLINE gr_u64 gr_match(struct gr_bytes64 b, gr_u8 c) {
  return _mm512_cmpeq_epi8_mask(b.v, _mm512_set1_epi8((char)c));
}

#elif defined(__AVX2__)

struct gr_bytes64 {
  __m256i v[2];
};
GR_INLINE struct gr_bytes64 gr_load64(const gr_u8* p) {
  return (struct gr_bytes64){
      {_mm256_loadu_si256((const __m256i*)p), _mm256_loadu_si256((const __m256i*)(p + 32))}};
}
GR_INLINE gr_u64 gr_match(struct gr_bytes64 b, gr_u8 c) {
  __m256i pattern = _mm256_set1_epi8((char)c);
  gr_u64 low = (gr_u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b.v[0], pattern));
  gr_u64 high = (gr_u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b.v[1], pattern));
  return low | high << 32;
}

#else

struct gr_bytes64 {
  __m128i v[4];
};
GR_INLINE struct gr_bytes64 gr_load64(const gr_u8* p) {
  struct gr_bytes64 b;
  for (int i = 0; i < 4; i++) b.v[i] = _mm_loadu_si128((const __m128i*)(p + 16 * i));
  return b;
}
GR_INLINE gr_u64 gr_match(struct gr_bytes64 b, gr_u8 c) {
  __m128i pattern = _mm_set1_epi8((char)c);
  gr_u64 mask = 0;
  for (int i = 0; i < 4; i++)
    mask |= (gr_u64)(gr_u32)_mm_movemask_epi8(_mm_cmpeq_epi8(b.v[i], pattern)) << (16 * i);
  return mask;
}

#endif

/* Bit i: parity of the bits 0..i. */
GR_INLINE gr_u64 gr_prefix_xor(gr_u64 bits) {
#ifdef __PCLMUL__
  __m128i all = _mm_set1_epi8((char)0xFF);
  return (gr_u64)_mm_cvtsi128_si64(
      _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)bits), all, 0));
#else
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
#endif
}

/* The bit number `k` (from 0) of those set in `bits`, alone; 0 if there are not so many. `k` is a
 * constant below 64. */
GR_INLINE gr_u64 gr_select_bit(gr_u64 bits, gr_u32 k) {
#ifdef __BMI2__
  return _pdep_u64((gr_u64)1 << k, bits);
#else
  for (gr_u32 i = 0; i < k; i++) bits &= bits - 1;
  return bits & (0 - bits);
#endif
}

GR_INLINE gr_u32 gr_lowest(gr_u64 bits) { return (gr_u32)__builtin_ctzll(bits); }
GR_INLINE gr_u32 gr_highest(gr_u64 bits) { return 63 - (gr_u32)__builtin_clzll(bits); }

GR_INLINE gr_u64 gr_word(const gr_u8* p) {
  gr_u64 word;
  __builtin_memcpy(&word, p, 8);
  return word;
}

#endif
