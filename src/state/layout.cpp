#include "state/layout.h"

#include "state/double_sum.h"

namespace grapnel::state {

namespace {

SlotKind sum_kind(op::Type argument) {
  if (argument.kind == op::TypeKind::real) return SlotKind::sum_double;
  return argument.fits_int64() ? SlotKind::sum_exact : SlotKind::sum_wide;
}

SlotKind extreme_kind(op::Type argument) {
  if (argument.kind == op::TypeKind::real) return SlotKind::extreme_double;
  if (argument.kind == op::TypeKind::varchar) return SlotKind::extreme_text;
  return argument.fits_int64() ? SlotKind::extreme_int64 : SlotKind::extreme_int128;
}

SlotKind slot_kind(const op::Aggregate& aggregate) {
  switch (aggregate.kind) {
    case op::AggregateKind::count_rows:
      return SlotKind::none;
    case op::AggregateKind::count:
      return SlotKind::count;
    case op::AggregateKind::sum:
      return sum_kind(aggregate.argument->type);
    case op::AggregateKind::min:
    case op::AggregateKind::max:
      return extreme_kind(aggregate.argument->type);
  }
  return SlotKind::none;
}

uint32_t slots_of(SlotKind kind) {
  switch (kind) {
    case SlotKind::none:
      return 0;
    case SlotKind::count:
      return 1;
    case SlotKind::sum_exact:
      return 3;
    case SlotKind::sum_wide:
      return 4;
    case SlotKind::sum_double:
      return 1 + kDoubleSumWords;
    case SlotKind::extreme_int64:
      return 2;
    case SlotKind::extreme_int128:
      return 3;
    case SlotKind::extreme_double:
      return 2;
    case SlotKind::extreme_text:
      return 2;
  }
  return 0;
}

}  // namespace

StateLayout StateLayout::of(const op::Op& op) {
  StateLayout layout;
  for (const op::Aggregate& aggregate : op.aggregates) {
    AggregateSlots slots;
    slots.kind = slot_kind(aggregate);
    slots.is_max = aggregate.kind == op::AggregateKind::max;
    slots.first_slot = layout.slot_count;
    slots.slot_count = slots_of(slots.kind);
    layout.slot_count += slots.slot_count;
    layout.aggregates.push_back(slots);
  }
  return layout;
}

}  // namespace grapnel::state
