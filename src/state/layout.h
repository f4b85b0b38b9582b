// Byte layout of the partial state of one group: a row of 64-bit slots. Every lowering writes
// exactly this layout; merge and finish read it.
//
//   slot 0   file offset of the first record of the group (order of first appearance)
//   slot 1   number of records that passed the filter
//   then for each aggregate, at StateLayout::aggregates[i].first_slot:
//     count_rows            none (slot 1 is it)
//     count                 {n}
//     sum, 64-bit           {low, high, n}       128-bit two's complement sum, n non-null values
//     sum, 128-bit          {low, high, n, top}  192-bit two's complement sum low, high, top: only
//     the
//                                                total has to fit 128 bits, whatever the order
//     sum of DOUBLE         {n, superaccumulator words...}   (state/double_sum.h)
//     min, max, 64-bit      {value, n}           value is undefined while n is 0
//     min, max, 128-bit     {low, high, n}
//     min, max of DOUBLE    {bits, n}
//     min, max of VARCHAR   {string number in the partial's string store, n}
#pragma once

#include <cstdint>
#include <vector>

#include "op/query.h"

namespace grapnel::state {

enum class SlotKind : uint8_t {
  none,
  count,
  sum_exact,  ///< values fit 64 bits: fewer than 2^63 of them cannot overflow
  sum_wide,   ///< values of 128 bits
  sum_double,
  extreme_int64,
  extreme_int128,
  extreme_double,
  extreme_text,
};

struct AggregateSlots {
  SlotKind kind = SlotKind::none;
  bool is_max = false;  ///< extremes
  uint32_t first_slot = 0;
  uint32_t slot_count = 0;
};

inline constexpr uint32_t kFirstOffsetSlot = 0;
inline constexpr uint32_t kRecordCountSlot = 1;
inline constexpr uint32_t kFixedSlots = 2;

struct StateLayout {
  std::vector<AggregateSlots> aggregates;  ///< parallel to Op::aggregates
  uint32_t slot_count = kFixedSlots;       ///< 64-bit slots of one group

  static StateLayout of(const op::Op& op);
};

}  // namespace grapnel::state
