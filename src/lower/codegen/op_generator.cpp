#include "lower/codegen/op_generator.h"

#include "base/int128.h"
#include "lower/codegen/op_body.h"
#include "lower/codegen/shape.h"

namespace grapnel::lower::codegen {

using llvm::Value;

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
  // Alone, the flag stays: where nothing is NULL it vanishes.
  if (puts_away_) left.is_null = put(operand.is_null, 2);
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
  logic_->escape_if(plan_.target == Target::bpf ? builder_.CreateAnd(flags, GR_FLAG_ESCAPE)
                                                : bit(1));
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
  Operand result;
  if (node.kind == NodeKind::check_range && product_within(node, result)) return result;
  const Operand& inner = operand(node.left);
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
        logic_->escape_if_above(builder_.CreateSub(inner.value, low), word(span));
      result.value = inner.value;
    }
  }
  return result;
}

/// BPF: a checked product of small factors needs no check of its own.
bool OpGenerator::product_within(const Node& check, Operand& result) {
  const Node& product = plan_.nodes[check.left];
  constexpr int64_t kEnough = 999'999'998'000'000'001;  // (10^9 - 1)^2, see gr_multiply_within
  if (plan_.target != Target::bpf || product.kind != NodeKind::multiply || check.low > -kEnough ||
      check.high < kEnough)
    return false;
  const Operand& a = operand(product.left);
  const Operand& b = operand(product.right);
  Value* place = local(word_type());
  const uint64_t span = static_cast<uint64_t>(check.high) - static_cast<uint64_t>(check.low);
  logic_->escape_if(
      calls_.call("gr_multiply_within", word_type(),
                  {a.value, b.value, word(static_cast<uint64_t>(check.low)), word(span), place}));
  result.value = builder_.CreateLoad(word_type(), place);
  result.is_null = logic_->either(a.is_null, b.is_null);
  result.zero_if_null = false;
  return true;
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

std::unique_ptr<llvm::Module> generate_op(const Plan& plan, const llvm::Module& record_template) {
  auto module = std::make_unique<llvm::Module>("op", record_template.getContext());
  module->setTargetTriple(record_template.getTargetTriple());
  module->setDataLayout(record_template.getDataLayout());
  generate_shape(plan, *module);
  OpGenerator(plan, *module).generate();
  return module;
}

}  // namespace grapnel::lower::codegen
