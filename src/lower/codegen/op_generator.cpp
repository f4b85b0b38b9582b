#include "lower/codegen/op_generator.h"

#include <llvm/IR/IRBuilder.h>

#include <optional>
#include <vector>

#include "base/int128.h"
#include "lower/codegen/logic.h"
#include "lower/codegen/shape.h"

namespace grapnel::lower::codegen {
namespace {

using llvm::Value;

/// BPF: above this, values are put away instead of being held in registers and on the stack.
constexpr size_t kMostNodesOnStack = 24;
constexpr uint32_t kWordsPerNode = 4;
static_assert(kMostBpfNodes * kWordsPerNode <= GR_MAX_TEMPORARIES);

/// A node's value in generated code.
struct Operand {
  /// integer: i64; boolean: flag "is true" (never set together with is_null); real: double;
  /// text: pointer to a gr_text.
  Value* value = nullptr;
  Value* is_null = nullptr;   ///< flag
  bool zero_if_null = false;  ///< integer: the word is 0 then
};

/// Generates the body of gr_op. Nodes are generated where they are first used; the blocks of the
/// body form a chain, so each later use is dominated by that place.
class OpGenerator {
 public:
  OpGenerator(const Plan& plan, llvm::Module& module)
      : plan_(plan),
        builder_(module.getContext()),
        calls_(builder_, module),
        operands_(plan.nodes.size()) {
    auto* pointer = builder_.getPtrTy();
    auto* type = llvm::FunctionType::get(builder_.getInt64Ty(), {pointer, pointer}, false);
    function_ = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "gr_op", module);
    function_->addFnAttr(llvm::Attribute::AlwaysInline);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    row_ = function_->getArg(0);
    run_ = function_->getArg(1);
    locals_ = llvm::BasicBlock::Create(module.getContext(), "", function_);
    auto* body = llvm::BasicBlock::Create(module.getContext(), "", function_);
    builder_.SetInsertPoint(body);
    logic_ = make_logic(plan.target, builder_, calls_);
    body_ = body;
    puts_away_ = plan.target == Target::bpf && plan.nodes.size() > kMostNodesOnStack;
  }

  void generate() {
    for (const auto& stage : plan_.filter_stages) {
      Value* passes = logic_->constant(true);
      for (uint32_t conjunct : stage) passes = logic_->both(passes, operand(conjunct).value);
      logic_->reject_unless(passes);
    }
    if (plan_.selects) {
      logic_->settle_escapes();
      builder_.CreateRet(word(GR_SELECT));
    } else {
      aggregate();
    }
    llvm::IRBuilder<>(locals_).CreateBr(body_);
  }

 private:
  llvm::ConstantInt* word(uint64_t value) { return builder_.getInt64(value); }
  llvm::ConstantInt* half(uint32_t value) { return builder_.getInt32(value); }
  llvm::Type* word_type() { return builder_.getInt64Ty(); }

  Value* local(llvm::Type* type) {
    llvm::IRBuilder<> at(locals_);
    return at.CreateAlloca(type);
  }
  Value* text_local() { return local(llvm::ArrayType::get(word_type(), 2)); }

  /// The value of a node, where it is used.
  Operand operand(uint32_t number) {
    if (!operands_[number]) {
      const Operand made = make(plan_.nodes[number]);
      operands_[number] = puts_away_ ? put_away(number, made) : made;
    }
    return puts_away_ ? fetch(number, *operands_[number]) : *operands_[number];
  }
  Operand put_away(uint32_t number, const Operand& operand);
  Operand fetch(uint32_t number, const Operand& operand);
  Value* temporary(uint32_t number, uint32_t word_index);

  Operand make(const Node& node);
  Operand load(const Node& node);
  Operand parameter(const Node& node);
  Operand null(const Node& node);
  Operand arithmetic(const Node& node);
  Operand division(const Node& node);
  Operand unary_integer(const Node& node);
  Operand real(const Node& node);
  Operand compare(const Node& node);
  Value* compare_values(const Node& node, Value* a, Value* b);
  Value* less_real(Value* a, Value* b);
  Operand text_test(const Node& node);
  Operand logical(const Node& node);

  /// A comparison's result with NULL taken out of the value.
  Operand truth(Value* value, Value* is_null) {
    return {logic_->both(value, logic_->negation(is_null)), is_null};
  }
  Value* flag_of(llvm::CallInst* call) { return logic_->from_word(call); }

  void aggregate();
  Value* group();
  void hand_over_key(uint32_t index, const KeyPlan& key);
  void update_fixed_slots(Value* slots);
  void update(const AggregatePlan& aggregate, Value* slots);
  void update_extreme(const AggregatePlan& aggregate, const Operand& value, Value* slots);
  void update_wide_extreme(const AggregatePlan& aggregate, const Operand& value, Value* slots);
  void update_real_extreme(const AggregatePlan& aggregate, const Operand& value, Value* slots);
  template <typename Body>
  void unless_null(const Operand& value, const Body& body);

  Value* slot(Value* slots, uint32_t index) {
    return builder_.CreateConstInBoundsGEP1_64(word_type(), slots, index);
  }
  Value* read(Value* slots, uint32_t index) {
    return builder_.CreateAlignedLoad(word_type(), slot(slots, index), llvm::Align(8));
  }
  void write(Value* slots, uint32_t index, Value* value) {
    builder_.CreateAlignedStore(value, slot(slots, index), llvm::Align(8));
  }
  void count(Value* slots, uint32_t index, Value* counted) {
    write(slots, index, builder_.CreateAdd(read(slots, index), counted));
  }

  const Plan& plan_;
  llvm::IRBuilder<> builder_;
  TemplateCalls calls_;
  std::unique_ptr<Logic> logic_;
  llvm::Function* function_ = nullptr;
  Value* row_ = nullptr;
  Value* run_ = nullptr;
  llvm::BasicBlock* locals_ = nullptr;  ///< entry: allocas only
  llvm::BasicBlock* body_ = nullptr;
  std::vector<std::optional<Operand>> operands_;
  bool puts_away_ = false;
};

// --- values put away ---------------------------------------------------------------------------
//
// A BPF program has 512 bytes of stack for a whole chain of calls. What a large op holds at a time
// would not fit; so each node's value goes to memory of the worker, and comes from there at each
// use. The accesses are volatile: else LLVM would keep the values in registers, and so on the
// stack.

Value* OpGenerator::temporary(uint32_t number, uint32_t word_index) {
  return calls_.call("gr_temporary", builder_.getPtrTy(),
                     {run_, half(number * kWordsPerNode + word_index)});
}

/// The operand with its non-constant parts replaced by nothing: fetch() knows where they are.
Operand OpGenerator::put_away(uint32_t number, const Operand& operand) {
  Operand left = operand;
  const auto put = [&](Value* value, uint32_t word_index) -> Value* {
    if (llvm::isa<llvm::Constant>(value)) return value;
    builder_.CreateAlignedStore(value, temporary(number, word_index), llvm::Align(8), true);
    return nullptr;
  };
  if (plan_.nodes[number].value == ValueClass::text) {
    put(read(operand.value, 0), 0);
    put(read(operand.value, 1), 1);
    left.value = nullptr;
  } else {
    left.value = put(operand.value, 0);
  }
  left.is_null = put(operand.is_null, 2);
  return left;
}

Operand OpGenerator::fetch(uint32_t number, const Operand& left) {
  Operand operand = left;
  const auto get = [&](uint32_t word_index) {
    return builder_.CreateAlignedLoad(word_type(), temporary(number, word_index), llvm::Align(8),
                                      true);
  };
  if (operand.value == nullptr && plan_.nodes[number].value == ValueClass::text) {
    operand.value = text_local();
    write(operand.value, 0, get(0));
    write(operand.value, 1, get(1));
  } else if (operand.value == nullptr) {
    operand.value = get(0);
  }
  if (operand.is_null == nullptr) operand.is_null = get(2);
  return operand;
}

// --- values ------------------------------------------------------------------------------------

Operand OpGenerator::make(const Node& node) {
  switch (node.kind) {
    case NodeKind::load:
      return load(node);
    case NodeKind::parameter:
      return parameter(node);
    case NodeKind::null:
      return null(node);
    case NodeKind::add:
    case NodeKind::subtract:
    case NodeKind::multiply:
      return arithmetic(node);
    case NodeKind::divide:
    case NodeKind::modulo:
      return division(node);
    case NodeKind::negate:
    case NodeKind::check_range:
    case NodeKind::scale_up:
    case NodeKind::scale_down:
    case NodeKind::from_boolean:
      return unary_integer(node);
    case NodeKind::real_add:
    case NodeKind::real_subtract:
    case NodeKind::real_multiply:
    case NodeKind::real_divide:
    case NodeKind::real_negate:
    case NodeKind::to_real:
      return real(node);
    case NodeKind::equal:
    case NodeKind::not_equal:
    case NodeKind::less:
    case NodeKind::less_equal:
      return compare(node);
    case NodeKind::text_equal:
    case NodeKind::text_starts_with:
    case NodeKind::text_ends_with:
    case NodeKind::text_contains:
    case NodeKind::text_like:
      return text_test(node);
    case NodeKind::is_nonzero: {
      const Operand& inner = operand(node.left);
      return truth(logic_->is_nonzero(inner.value), inner.is_null);
    }
    case NodeKind::and_:
    case NodeKind::or_:
    case NodeKind::not_:
    case NodeKind::is_null:
      return logical(node);
  }
  llvm_unreachable("all kinds are listed");
}

Operand OpGenerator::load(const Node& node) {
  auto* column = half(node.a);
  const bool is_text = node.load_kind == LoadKind::text;
  const bool is_real = node.load_kind == LoadKind::real;
  Value* place = is_text ? text_local() : local(is_real ? builder_.getDoubleTy() : word_type());
  const auto call = [&](const char* name) {
    return calls_.call(name, word_type(), {row_, column, place});
  };
  Value* flags = nullptr;
  switch (node.load_kind) {
    case LoadKind::integer:
      flags = call("gr_load_integer");
      break;
    case LoadKind::decimal:
      flags = calls_.call("gr_load_decimal", word_type(),
                          {row_, column, half(node.b >> 8), half(node.b & 255), place});
      break;
    case LoadKind::date:
      flags = call("gr_load_date");
      break;
    case LoadKind::date_order:
      flags = call("gr_load_date_order");
      break;
    case LoadKind::boolean:
      flags = call("gr_load_boolean");
      break;
    case LoadKind::real:
      flags = call("gr_load_double");
      break;
    case LoadKind::text:
      flags = call("gr_load_text");
      break;
  }
  const auto bit = [&](unsigned position) {
    return logic_->from_word(builder_.CreateAnd(builder_.CreateLShr(flags, position), 1));
  };
  logic_->escape_if(bit(1));
  Operand result;
  result.is_null = bit(0);
  result.zero_if_null = true;
  if (is_text)
    result.value = place;
  else
    result.value = builder_.CreateLoad(is_real ? builder_.getDoubleTy() : word_type(), place);
  if (node.value == ValueClass::boolean)
    return truth(logic_->from_word(result.value), result.is_null);
  return result;
}

Operand OpGenerator::parameter(const Node& node) {
  Operand result;
  result.is_null = logic_->constant(false);
  result.zero_if_null = true;
  if (node.value == ValueClass::text) {
    result.value = text_local();
    calls_.call("gr_text_parameter", builder_.getVoidTy(), {run_, half(node.a), result.value});
    return result;
  }
  result.value = calls_.call("gr_parameter", word_type(), {run_, half(node.a)});
  if (node.value == ValueClass::real)
    result.value = builder_.CreateBitCast(result.value, builder_.getDoubleTy());
  return result;
}

Operand OpGenerator::null(const Node& node) {
  Operand result;
  result.is_null = logic_->constant(true);
  result.zero_if_null = true;
  switch (node.value) {
    case ValueClass::integer:
      result.value = word(0);
      break;
    case ValueClass::boolean:
      result.value = logic_->constant(false);
      break;
    case ValueClass::real:
      result.value = llvm::ConstantFP::get(builder_.getDoubleTy(), 0.0);
      break;
    case ValueClass::text:
      result.value = text_local();
      builder_.CreateStore(llvm::ConstantAggregateZero::get(llvm::ArrayType::get(word_type(), 2)),
                           result.value);
      break;
  }
  return result;
}

Operand OpGenerator::arithmetic(const Node& node) {
  const Operand& a = operand(node.left);
  const Operand& b = operand(node.right);
  const char* name = node.kind == NodeKind::add        ? "gr_add"
                     : node.kind == NodeKind::subtract ? "gr_subtract"
                                                       : "gr_multiply";
  Operand result;
  result.is_null = logic_->either(a.is_null, b.is_null);
  const bool cannot_overflow = node.low > INT64_MIN && node.high < INT64_MAX;
  if (cannot_overflow) {
    result.value = node.kind == NodeKind::add        ? builder_.CreateAdd(a.value, b.value)
                   : node.kind == NodeKind::subtract ? builder_.CreateSub(a.value, b.value)
                                                     : builder_.CreateMul(a.value, b.value);
    return result;
  }
  Value* place = local(word_type());
  logic_->escape_if(flag_of(calls_.call(name, word_type(), {a.value, b.value, place})));
  result.value = builder_.CreateLoad(word_type(), place);
  return result;
}

Operand OpGenerator::division(const Node& node) {
  const Operand& a = operand(node.left);
  const Operand& b = operand(node.right);
  Operand result;
  result.is_null = logic_->either(a.is_null, b.is_null);
  // Zero is an error, and so is -1 for the least dividend of any type: both are left to the exact
  // form. (% only: // has the range check of its result behind it.)
  Value* refused = logic_->equal(b.value, word(0));
  if (node.kind == NodeKind::modulo)
    refused = logic_->either(refused, logic_->equal(b.value, word(~uint64_t{0})));
  logic_->escape_if(logic_->both(refused, logic_->negation(result.is_null)));
  // A NULL divisor must not trap.
  Value* divisor = logic_->choose(logic_->either(refused, b.is_null), word(1), b.value);
  if (node.kind == NodeKind::modulo) {
    result.value = calls_.call("gr_modulo", word_type(), {a.value, divisor});
    return result;
  }
  Value* place = local(word_type());
  logic_->escape_if(flag_of(calls_.call("gr_divide", word_type(), {a.value, divisor, place})));
  result.value = builder_.CreateLoad(word_type(), place);
  return result;
}

Operand OpGenerator::unary_integer(const Node& node) {
  const Operand& inner = operand(node.left);
  Operand result;
  result.is_null = inner.is_null;
  result.zero_if_null = inner.zero_if_null;
  const auto checked = [&](const char* name, Value* a, Value* b) {
    Value* place = local(word_type());
    logic_->escape_if(flag_of(calls_.call(name, word_type(), {a, b, place})));
    return builder_.CreateLoad(word_type(), place);
  };
  const auto power = word(static_cast<uint64_t>(power_of_ten(static_cast<int>(node.a & 31))));
  const bool cannot_overflow = node.low > INT64_MIN && node.high < INT64_MAX;
  switch (node.kind) {
    case NodeKind::negate:
      result.value = cannot_overflow ? builder_.CreateNeg(inner.value)
                                     : checked("gr_subtract", word(0), inner.value);
      break;
    case NodeKind::scale_up:
      result.value = cannot_overflow ? builder_.CreateMul(inner.value, power)
                                     : checked("gr_multiply", inner.value, power);
      break;
    case NodeKind::scale_down:
      result.value = calls_.call("gr_scale_down", word_type(), {inner.value, power});
      break;
    case NodeKind::from_boolean:
      result.value = logic_->to_word(inner.value);
      result.zero_if_null = true;
      break;
    default: {  // check_range: value - low above high - low, as unsigned words
      Value* low = word(static_cast<uint64_t>(node.low));
      const uint64_t span = static_cast<uint64_t>(node.high) - static_cast<uint64_t>(node.low);
      if (span != ~uint64_t{0})
        logic_->escape_if(logic_->less_unsigned(word(span), builder_.CreateSub(inner.value, low)));
      result.value = inner.value;
    }
  }
  return result;
}

Operand OpGenerator::real(const Node& node) {
  const Operand& a = operand(node.left);
  Operand result;
  result.is_null = a.is_null;
  if (node.kind == NodeKind::real_negate) {
    result.value = builder_.CreateFNeg(a.value);
    return result;
  }
  if (node.kind == NodeKind::to_real) {
    result.value = calls_.call("gr_to_real", builder_.getDoubleTy(), {a.value, half(node.a)});
    return result;
  }
  const Operand& b = operand(node.right);
  result.is_null = logic_->either(a.is_null, b.is_null);
  switch (node.kind) {
    case NodeKind::real_add:
      result.value = builder_.CreateFAdd(a.value, b.value);
      break;
    case NodeKind::real_subtract:
      result.value = builder_.CreateFSub(a.value, b.value);
      break;
    case NodeKind::real_multiply:
      result.value = builder_.CreateFMul(a.value, b.value);
      break;
    default:
      result.value = builder_.CreateFDiv(a.value, b.value);
      break;
  }
  return result;
}

// --- truth values ------------------------------------------------------------------------------

/// NaN is greater than all others and equal to itself.
Value* OpGenerator::less_real(Value* a, Value* b) {
  Value* only_b_is_nan =
      builder_.CreateAnd(builder_.CreateFCmpORD(a, a), builder_.CreateFCmpUNO(b, b));
  return builder_.CreateOr(builder_.CreateFCmpOLT(a, b), only_b_is_nan);
}

/// `equal` or `less`, whichever the comparison is made of.
Value* OpGenerator::compare_values(const Node& node, Value* a, Value* b) {
  const bool equality = node.kind == NodeKind::equal || node.kind == NodeKind::not_equal;
  switch (plan_.nodes[node.left].value) {
    case ValueClass::real: {
      if (!equality) return less_real(a, b);
      Value* both_nan =
          builder_.CreateAnd(builder_.CreateFCmpUNO(a, a), builder_.CreateFCmpUNO(b, b));
      return builder_.CreateOr(builder_.CreateFCmpOEQ(a, b), both_nan);
    }
    case ValueClass::text: {
      Value* order = calls_.call("gr_text_compare", word_type(), {run_, a, b});
      return equality ? logic_->equal(order, word(0)) : logic_->less(order, word(0), true);
    }
    default:
      break;
  }
  if (equality) return logic_->equal(a, b);
  constexpr int64_t kNear = int64_t{1} << 62;
  const auto is_near = [&](uint32_t number) {
    const Node& side = plan_.nodes[number];
    return side.low >= -kNear && side.high < kNear;
  };
  return logic_->less(a, b, is_near(node.left) && is_near(node.right));
}

Operand OpGenerator::compare(const Node& node) {
  const Operand& a = operand(node.left);
  const Operand& b = operand(node.right);
  Value* is_null = logic_->either(a.is_null, b.is_null);
  switch (node.kind) {
    case NodeKind::equal:
    case NodeKind::less:
      return truth(compare_values(node, a.value, b.value), is_null);
    case NodeKind::not_equal:
      return truth(logic_->negation(compare_values(node, a.value, b.value)), is_null);
    default:  // a <= b: not b < a
      return truth(logic_->negation(compare_values(node, b.value, a.value)), is_null);
  }
}

Operand OpGenerator::text_test(const Node& node) {
  const Operand& text = operand(node.left);
  const auto call = [&](const char* name) {
    return calls_.call(name, word_type(), {run_, text.value, half(node.a)});
  };
  llvm::CallInst* result = nullptr;
  switch (node.kind) {
    case NodeKind::text_equal:
      result = call("gr_text_equal");
      break;
    case NodeKind::text_starts_with:
      result = call("gr_text_starts_with");
      break;
    case NodeKind::text_ends_with:
      result = call("gr_text_ends_with");
      break;
    case NodeKind::text_contains:
      result = call("gr_text_contains");
      break;
    default:
      result =
          calls_.call("gr_text_like", word_type(), {run_, text.value, half(node.a), half(node.b)});
  }
  return truth(flag_of(result), text.is_null);
}

Operand OpGenerator::logical(const Node& node) {
  const Operand& a = operand(node.left);
  if (node.kind == NodeKind::is_null) return {a.is_null, logic_->constant(false)};
  if (node.kind == NodeKind::not_)
    return {logic_->negation(logic_->either(a.value, a.is_null)), a.is_null};
  const Operand& b = operand(node.right);
  Value* any_null = logic_->either(a.is_null, b.is_null);
  if (node.kind == NodeKind::or_) {
    Value* value = logic_->either(a.value, b.value);
    return {value, logic_->both(any_null, logic_->negation(value))};
  }
  // AND is NULL if one side is and the other is not false.
  Value* a_not_false = logic_->either(a.value, a.is_null);
  Value* b_not_false = logic_->either(b.value, b.is_null);
  return {logic_->both(a.value, b.value),
          logic_->both(any_null, logic_->both(a_not_false, b_not_false))};
}

// --- state -------------------------------------------------------------------------------------

void OpGenerator::aggregate() {
  for (const KeyPlan& key : plan_.keys) operand(key.node);
  for (const AggregatePlan& aggregate : plan_.aggregates) operand(aggregate.node);
  for (uint32_t i = 0; i < plan_.keys.size(); i++) hand_over_key(i, plan_.keys[i]);
  logic_->settle_escapes();
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
  Value* first = read(slots, state::kFirstOffsetSlot);
  write(slots, state::kFirstOffsetSlot,
        logic_->choose(logic_->less_unsigned(offset, first), offset, first));
  count(slots, state::kRecordCountSlot, word(1));
}

template <typename Body>
void OpGenerator::unless_null(const Operand& value, const Body& body) {
  auto& context = builder_.getContext();
  auto* then = llvm::BasicBlock::Create(context, "", function_);
  auto* after = llvm::BasicBlock::Create(context, "", function_);
  builder_.CreateCondBr(logic_->is_nonzero(logic_->to_word(value.is_null)), after, then);
  builder_.SetInsertPoint(then);
  body();
  builder_.CreateBr(after);
  builder_.SetInsertPoint(after);
}

void OpGenerator::update(const AggregatePlan& aggregate, Value* slots) {
  const Operand& value = operand(aggregate.node);
  Value* counted = logic_->to_word(logic_->negation(value.is_null));
  Value* first = slot(slots, aggregate.first_slot);
  switch (aggregate.kind) {
    case state::SlotKind::none:
      return;
    case state::SlotKind::count:
      count(slots, aggregate.first_slot, counted);
      return;
    case state::SlotKind::sum_exact:
    case state::SlotKind::sum_wide: {
      Value* summand =
          value.zero_if_null ? value.value : logic_->choose(value.is_null, word(0), value.value);
      const bool wide = aggregate.kind == state::SlotKind::sum_wide;
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

}  // namespace

std::unique_ptr<llvm::Module> generate_op(const Plan& plan, const llvm::Module& record_template) {
  auto module = std::make_unique<llvm::Module>("op", record_template.getContext());
  module->setTargetTriple(record_template.getTargetTriple());
  module->setDataLayout(record_template.getDataLayout());
  generate_shape(plan, *module);
  OpGenerator(plan, *module).generate();
  return module;
}

}  // namespace grapnel::lower::codegen
