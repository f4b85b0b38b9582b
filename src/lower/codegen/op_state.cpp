#include "lower/codegen/op_body.h"

namespace grapnel::lower::codegen {

using llvm::Value;

// --- state -------------------------------------------------------------------------------------

void OpGenerator::aggregate() {
  for (const KeyPlan& key : plan_.keys) operand(key.node);
  for (const AggregatePlan& aggregate : plan_.aggregates) operand(aggregate.node);
  for (uint32_t i = 0; i < plan_.keys.size(); i++) hand_over_key(i, plan_.keys[i]);
  Value* slots = plan_.keys.empty()
                     ? static_cast<Value*>(calls_.call("gr_state", builder_.getPtrTy(), {run_}))
                     : group();
  update_fixed_slots(slots);
  for (const AggregatePlan& aggregate : plan_.aggregates) update(aggregate, slots);
  builder_.CreateRet(word(GR_DONE));
}

void OpGenerator::hand_over_key(uint32_t index, const KeyPlan& key) {
  const Operand& value = operand(key.node);
  Value* is_null = logic_->to_word(value.is_null);
  switch (plan_.nodes[key.node].value) {
    case ValueClass::text:
      logic_->escape_if(flag_of(
          calls_.call("gr_key_text", word_type(), {run_, half(index), value.value, is_null})));
      return;
    case ValueClass::real:
      calls_.call("gr_key_double", builder_.getVoidTy(), {run_, half(index), value.value, is_null});
      return;
    default:
      break;
  }
  Value* number = value.value;
  if (plan_.nodes[key.node].value == ValueClass::boolean)
    number = logic_->to_word(number);
  else if (!value.zero_if_null)
    number = logic_->choose(value.is_null, word(0), number);
  calls_.call("gr_key_int", builder_.getVoidTy(), {run_, half(index), number, is_null});
}

Value* OpGenerator::group() {
  Value* slots = calls_.call("gr_group", builder_.getPtrTy(), {run_});
  auto& context = builder_.getContext();
  auto* full = llvm::BasicBlock::Create(context, "full", function_);
  auto* found = llvm::BasicBlock::Create(context, "", function_);
  builder_.CreateCondBr(builder_.CreateIsNull(slots), full, found);
  llvm::IRBuilder<>(full).CreateRet(word(GR_ESCAPE));
  builder_.SetInsertPoint(found);
  return slots;
}

void OpGenerator::update_fixed_slots(Value* slots) {
  Value* offset = calls_.call("gr_row_offset", word_type(), {row_});
  if (plan_.target == Target::bpf) {
    calls_.call("gr_keep_smaller", builder_.getVoidTy(),
                {slot(slots, state::kFirstOffsetSlot), offset});
  } else {
    Value* first = read(slots, state::kFirstOffsetSlot);
    write(slots, state::kFirstOffsetSlot,
          logic_->choose(logic_->less_unsigned(offset, first), offset, first));
  }
  count(slots, state::kRecordCountSlot, word(1));
}

template <typename Body>
void OpGenerator::unless_null(const Operand& value, const Body& body) {
  auto& context = builder_.getContext();
  auto* then = llvm::BasicBlock::Create(context, "", function_);
  auto* after = llvm::BasicBlock::Create(context, "", function_);
  builder_.CreateCondBr(builder_.CreateICmpNE(logic_->to_word(value.is_null), word(0)), after,
                        then);
  builder_.SetInsertPoint(then);
  body();
  builder_.CreateBr(after);
  builder_.SetInsertPoint(after);
}

void OpGenerator::update(const AggregatePlan& aggregate, Value* slots) {
  const Operand& value = operand(aggregate.node);
  // BPF: see add_worker_state(); where it is known that nothing is NULL, this vanishes.
  Value* counted = logic_->to_word(plan_.target == Target::bpf ? value.is_null
                                                               : logic_->negation(value.is_null));
  Value* first = slot(slots, aggregate.first_slot);
  switch (aggregate.kind) {
    case state::SlotKind::none:
      return;
    case state::SlotKind::count:
      count(slots, aggregate.first_slot, counted);
      return;
    case state::SlotKind::sum_exact:
    case state::SlotKind::sum_wide: {
      const bool wide = aggregate.kind == state::SlotKind::sum_wide;
      if (plan_.target == Target::bpf) {
        count(slots, aggregate.first_slot + 2, counted);
        unless_null(value, [&] {
          calls_.call(wide ? "gr_sum_add_wide" : "gr_sum_add", builder_.getVoidTy(),
                      {first, value.value});
        });
        return;
      }
      Value* summand =
          value.zero_if_null ? value.value : logic_->choose(value.is_null, word(0), value.value);
      calls_.call(wide ? "gr_sum_add_wide" : "gr_sum_add", builder_.getVoidTy(),
                  {first, summand, counted});
      return;
    }
    case state::SlotKind::sum_double:
      unless_null(value, [&] {
        calls_.call("gr_sum_double", builder_.getVoidTy(),
                    {run_, slots, half(aggregate.first_slot), value.value});
      });
      return;
    case state::SlotKind::extreme_int64:
      update_extreme(aggregate, value, slots);
      return;
    case state::SlotKind::extreme_int128:
      update_wide_extreme(aggregate, value, slots);
      return;
    case state::SlotKind::extreme_double:
      update_real_extreme(aggregate, value, slots);
      return;
    case state::SlotKind::extreme_text:
      unless_null(value, [&] {
        calls_.call("gr_extreme_text", builder_.getVoidTy(),
                    {run_, slots, half(aggregate.first_slot), value.value, half(aggregate.is_max)});
      });
      return;
  }
}

/// {value, n}: taken over if it is the first, or beyond the one that is there.
void OpGenerator::update_extreme(const AggregatePlan& aggregate, const Operand& value,
                                 Value* slots) {
  const uint32_t at = aggregate.first_slot;
  Value* number = value.value;
  if (plan_.nodes[aggregate.node].value == ValueClass::boolean) number = logic_->to_word(number);
  Value* best = read(slots, at);
  Value* n = read(slots, at + 1);
  Value* beyond =
      aggregate.is_max ? logic_->less(best, number, false) : logic_->less(number, best, false);
  Value* taken = logic_->both(logic_->either(beyond, logic_->equal(n, word(0))),
                              logic_->negation(value.is_null));
  write(slots, at, logic_->choose(taken, number, best));
  write(slots, at + 1, builder_.CreateAdd(n, logic_->to_word(logic_->negation(value.is_null))));
}

/// {low, high, n} with a value of 64 bits: by the high words, and where they are equal by the low.
void OpGenerator::update_wide_extreme(const AggregatePlan& aggregate, const Operand& value,
                                      Value* slots) {
  const uint32_t at = aggregate.first_slot;
  Value* low = value.value;
  Value* high = builder_.CreateAShr(low, 63);
  Value* best_low = read(slots, at);
  Value* best_high = read(slots, at + 1);
  Value* n = read(slots, at + 2);
  const auto less = [&](Value* a_high, Value* a_low, Value* b_high, Value* b_low) {
    return logic_->either(
        logic_->less(a_high, b_high, false),
        logic_->both(logic_->equal(a_high, b_high), logic_->less_unsigned(a_low, b_low)));
  };
  Value* beyond = aggregate.is_max ? less(best_high, best_low, high, low)
                                   : less(high, low, best_high, best_low);
  Value* taken = logic_->both(logic_->either(beyond, logic_->equal(n, word(0))),
                              logic_->negation(value.is_null));
  write(slots, at, logic_->choose(taken, low, best_low));
  write(slots, at + 1, logic_->choose(taken, high, best_high));
  write(slots, at + 2, builder_.CreateAdd(n, logic_->to_word(logic_->negation(value.is_null))));
}

void OpGenerator::update_real_extreme(const AggregatePlan& aggregate, const Operand& value,
                                      Value* slots) {
  const uint32_t at = aggregate.first_slot;
  Value* best_bits = read(slots, at);
  Value* best = builder_.CreateBitCast(best_bits, builder_.getDoubleTy());
  Value* n = read(slots, at + 1);
  Value* beyond = aggregate.is_max ? less_real(best, value.value) : less_real(value.value, best);
  Value* taken = logic_->both(logic_->either(beyond, logic_->equal(n, word(0))),
                              logic_->negation(value.is_null));
  write(slots, at,
        logic_->choose(taken, builder_.CreateBitCast(value.value, word_type()), best_bits));
  write(slots, at + 1, builder_.CreateAdd(n, logic_->to_word(logic_->negation(value.is_null))));
}

}  // namespace grapnel::lower::codegen
