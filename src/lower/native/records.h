/* Lists of positions and of records, for the templates of text formats. */
#ifndef GRAPNEL_LOWER_NATIVE_RECORDS_H
#define GRAPNEL_LOWER_NATIVE_RECORDS_H

#include "lower/native/runtime.h"

/* Appends `at` + position of each bit of `ends` to `out`; returns how many. Two or fewer without a
 * branch on their number: up to two entries behind the last are overwritten. */
GR_INLINE gr_u64 gr_push_positions(gr_u32* out, gr_u64 at, gr_u64 ends) {
  const gr_u64 top = (gr_u64)1 << 63; /* so that there is a lowest bit */
  gr_u64 count = (gr_u64)__builtin_popcountll(ends);
  out[0] = (gr_u32)at + gr_lowest(ends | top);
  ends &= ends - 1;
  out[1] = (gr_u32)at + gr_lowest(ends | top);
  ends &= ends - 1;
  for (gr_u32 i = 2; GR_UNLIKELY(ends != 0); i++, ends &= ends - 1)
    out[i] = (gr_u32)at + gr_lowest(ends);
  return count;
}

/* Without the bits at or behind `size`, for a group of 64 bytes at `at`. */
GR_INLINE gr_u64 gr_within(gr_u64 bits, gr_u64 at, gr_u64 size) {
  return GR_UNLIKELY(size - at < 64) ? bits & (((gr_u64)1 << (size - at)) - 1) : bits;
}

/* Puts a record aside for the runner. */
GR_INLINE void gr_list(struct gr_scan* scan, const gr_u8* record, gr_u32 size) {
  struct gr_listed* entry = &scan->listed[scan->listed_count++];
  entry->begin = (gr_u32)(record - scan->data);
  entry->size = size;
}

/* Size of the next chunk, 0 if the list might not hold its records. */
GR_INLINE gr_u64 gr_next_chunk(const struct gr_scan* scan) {
  gr_u64 left = scan->size - scan->position;
  if (scan->listed_count + GR_CHUNK_BYTES > GR_MAX_LISTED) return 0;
  return left < GR_CHUNK_BYTES ? left : GR_CHUNK_BYTES;
}

#endif
