#include "state/partial.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/limits.h"
#include "state/double_sum.h"

namespace grapnel::state {

namespace {

Int128 load_int128(const uint64_t* slots) {
  return static_cast<Int128>(UInt128{slots[1]} << 64 | slots[0]);
}

void store_int128(uint64_t* slots, Int128 value) {
  const auto bits = static_cast<UInt128>(value);
  slots[0] = static_cast<uint64_t>(bits);
  slots[1] = static_cast<uint64_t>(bits >> 64);
}

/// Adds to the 128-bit sum in slots 0 and 1; 1 if it carries out of them (as unsigned numbers).
uint64_t add_int128(uint64_t* slots, Int128 value) {
  const auto addend = static_cast<UInt128>(value);
  const UInt128 sum = static_cast<UInt128>(load_int128(slots)) + addend;
  store_int128(slots, static_cast<Int128>(sum));
  return sum < addend ? 1 : 0;
}

/// The order of minimum and maximum of DOUBLE: like op::compare, but -0.0 is less than 0.0, so that
/// the answer does not depend on the order of the values.
bool is_less(double a, double b) {
  if (std::isnan(a)) return false;
  if (std::isnan(b)) return true;
  if (a == 0 && b == 0) return std::signbit(a) && !std::signbit(b);
  return a < b;
}

/// Whether `candidate` takes the place of `present` in a minimum or maximum.
template <typename T>
bool replaces(const T& candidate, const T& present, bool is_max) {
  return is_max ? present < candidate : candidate < present;
}
bool replaces(double candidate, double present, bool is_max) {
  return is_max ? is_less(present, candidate) : is_less(candidate, present);
}

double canonical_nan(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

/// Where a state keeps its number of non-null values, counted from its first slot.
uint32_t count_slot(SlotKind kind) {
  switch (kind) {
    case SlotKind::sum_exact:
    case SlotKind::sum_wide:
    case SlotKind::extreme_int128:
      return 2;
    case SlotKind::extreme_int64:
    case SlotKind::extreme_double:
    case SlotKind::extreme_text:
      return 1;
    case SlotKind::none:
    case SlotKind::count:
    case SlotKind::sum_double:
      break;
  }
  return 0;
}

/// Takes `value` (with `count` values behind it) into an extreme that is kept in `state`.
void take_extreme(GroupTable& groups, const AggregateSlots& kept, uint64_t* state,
                  const op::Datum& value) {
  const bool first = state[count_slot(kept.kind)] == 0;
  switch (kept.kind) {
    case SlotKind::extreme_int64: {
      const auto candidate = static_cast<int64_t>(value.integer);
      if (first || replaces(candidate, static_cast<int64_t>(state[0]), kept.is_max))
        state[0] = static_cast<uint64_t>(candidate);
      break;
    }
    case SlotKind::extreme_int128:
      if (first || replaces(value.integer, load_int128(state), kept.is_max))
        store_int128(state, value.integer);
      break;
    case SlotKind::extreme_double:
      if (first || replaces(value.real, std::bit_cast<double>(state[0]), kept.is_max))
        state[0] = std::bit_cast<uint64_t>(canonical_nan(value.real));
      break;
    case SlotKind::extreme_text:
      if (first || replaces(value.text, groups.string(state[0]), kept.is_max))
        state[0] = groups.set_string(first ? 0 : state[0], value.text);
      break;
    default:
      break;
  }
}

/// The value of an extreme, not NULL.
op::Datum load_extreme(const GroupTable& groups, SlotKind kind, const uint64_t* state) {
  switch (kind) {
    case SlotKind::extreme_int64:
      return op::Datum::of_integer(static_cast<int64_t>(state[0]));
    case SlotKind::extreme_int128:
      return op::Datum::of_integer(load_int128(state));
    case SlotKind::extreme_double:
      return op::Datum::of_real(std::bit_cast<double>(state[0]));
    default:
      return op::Datum::of_text(groups.string(state[0]));
  }
}

void merge_sum(SlotKind kind, uint64_t* state, const uint64_t* other) {
  if (kind == SlotKind::sum_double) {
    state[0] += other[0];
    double_sum_merge(state + 1, other + 1);
    return;
  }
  const uint64_t carry = add_int128(state, load_int128(other));
  state[2] += other[2];
  if (kind == SlotKind::sum_wide) state[3] += other[3] + carry;
}

Error sum_error(op::Type type) {
  Error error;
  error.kind = ErrorKind::data;
  error.message = "out of range: a sum does not fit " + type.to_string();
  error.hint = "sum CAST(... AS DOUBLE) instead, or fewer records";
  return error;
}

}  // namespace

Status check_memory(size_t bytes) {
  if (bytes <= limits::kResultMemoryBytes) return ok_status();
  Error error;
  error.kind = ErrorKind::limit;
  error.message = "the result needs more than " + std::to_string(limits::kResultMemoryBytes >> 20) +
                  " MiB of memory";
  error.hint = "select fewer rows with WHERE or LIMIT, or fewer columns";
  return error;
}

Partial::Partial(std::shared_ptr<const op::Op> op, std::shared_ptr<const StateLayout> layout,
                 size_t max_groups)
    : groups(*layout, max_groups), op_(std::move(op)), layout_(std::move(layout)) {}

void Partial::update(uint64_t* slots, size_t index, const op::Datum& value) {
  if (value.is_null) return;
  const AggregateSlots& kept = layout_->aggregates[index];
  uint64_t* state = slots + kept.first_slot;
  switch (kept.kind) {
    case SlotKind::none:
      return;  // the record count is it
    case SlotKind::count:
      break;
    case SlotKind::sum_exact:
      add_int128(state, value.integer);
      break;
    case SlotKind::sum_wide: {
      const uint64_t sign = value.integer < 0 ? ~uint64_t{0} : 0;
      state[3] += sign + add_int128(state, value.integer);
      break;
    }
    case SlotKind::sum_double:
      double_sum_add(state + 1, value.real);
      break;
    case SlotKind::extreme_int64:
    case SlotKind::extreme_int128:
    case SlotKind::extreme_double:
    case SlotKind::extreme_text:
      take_extreme(groups, kept, state, value);
      break;
  }
  state[count_slot(kept.kind)]++;
}

Status Partial::merge(Partial&& other) {
  records += other.records;
  other.records = 0;
  rows.append_all(std::move(other.rows));
  if (groups.size() == 0) {
    std::swap(groups, other.groups);
    return check_memory();
  }
  for (size_t group = 0; group < other.groups.size(); group++) {
    uint64_t* ours = groups.find_or_insert(other.groups.key(group));
    if (ours == nullptr) return groups.limit_error();
    const uint64_t* theirs = other.groups.slots(group);
    ours[kFirstOffsetSlot] = std::min(ours[kFirstOffsetSlot], theirs[kFirstOffsetSlot]);
    ours[kRecordCountSlot] += theirs[kRecordCountSlot];
    for (const AggregateSlots& kept : layout_->aggregates) {
      uint64_t* state = ours + kept.first_slot;
      const uint64_t* addend = theirs + kept.first_slot;
      switch (kept.kind) {
        case SlotKind::none:
          break;
        case SlotKind::count:
          state[0] += addend[0];
          break;
        case SlotKind::sum_exact:
        case SlotKind::sum_wide:
        case SlotKind::sum_double:
          merge_sum(kept.kind, state, addend);
          break;
        default: {
          const uint32_t count = count_slot(kept.kind);
          if (addend[count] == 0) break;
          take_extreme(groups, kept, state, load_extreme(other.groups, kept.kind, addend));
          state[count] += addend[count];
        }
      }
    }
  }
  other.groups.clear();
  return check_memory();
}

Status Partial::check_memory() const {
  return state::check_memory(groups.memory_bytes() + rows.memory_bytes());
}

Result<op::Datum> Partial::finish(const uint64_t* slots, size_t index) const {
  const AggregateSlots& kept = layout_->aggregates[index];
  const op::Type type = op_->aggregates[index].type;
  const uint64_t* state = slots + kept.first_slot;
  switch (kept.kind) {
    case SlotKind::none:
      return op::Datum::of_integer(Int128{slots[kRecordCountSlot]});
    case SlotKind::count:
      return op::Datum::of_integer(Int128{state[0]});
    default:
      break;
  }
  if (state[count_slot(kept.kind)] == 0) return op::Datum::null();
  if (kept.kind == SlotKind::sum_double) return op::Datum::of_real(double_sum_finish(state + 1));
  if (kept.kind != SlotKind::sum_exact && kept.kind != SlotKind::sum_wide)
    return load_extreme(groups, kept.kind, state);
  const Int128 sum = load_int128(state);
  const uint64_t sign = sum < 0 ? ~uint64_t{0} : 0;
  const bool fits_128_bits = kept.kind == SlotKind::sum_exact || state[3] == sign;
  if (!fits_128_bits || !op::range_of(type).contains(sum)) return sum_error(type);
  return op::Datum::of_integer(sum);
}

bool Partial::empty() const { return groups.size() == 0 && rows.size() == 0 && records == 0; }

void Partial::clear() {
  groups.clear();
  rows = {};
  records = 0;
}

}  // namespace grapnel::state
