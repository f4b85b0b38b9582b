// AND, OR, NOT, and the normal form of conditions.
#include <utility>

#include "sql/typed.h"

namespace grapnel::sql {

using op::Expr;
using op::ExprPtr;
using op::Function;
using op::Type;
using op::TypeKind;

namespace {

const Type kBoolean = Type::of(TypeKind::boolean);

bool is_constant(const ExprPtr& expr) { return expr->function == Function::constant; }
bool is_null_constant(const ExprPtr& expr) { return is_constant(expr) && expr->constant.is_null; }
bool is_value(const ExprPtr& expr, bool value) {
  return is_constant(expr) && !expr->constant.is_null && (expr->constant.integer != 0) == value;
}

ExprPtr call(Function function, std::vector<ExprPtr> arguments, uint32_t offset) {
  auto expr = std::make_shared<Expr>();
  expr->function = function;
  expr->type = kBoolean;
  expr->arguments = std::move(arguments);
  expr->sql_offset = offset;
  return expr;
}

/// The comparison that is true where `function` is false. NaN is an ordinary value (the greatest),
/// so this holds for DOUBLE too.
Function opposite(Function function) {
  switch (function) {
    case Function::equal:
      return Function::not_equal;
    case Function::not_equal:
      return Function::equal;
    case Function::less:
      return Function::greater_equal;
    case Function::less_equal:
      return Function::greater;
    case Function::greater:
      return Function::less_equal;
    default:
      return Function::less;
  }
}

bool is_comparison(Function function) {
  return function >= Function::equal && function <= Function::greater_equal;
}

/// NOT moved inwards as far as it goes.
ExprPtr push_not(const ExprPtr& condition, bool negated) {
  const Function function = condition->function;
  if (function == Function::not_) return push_not(condition->arguments[0], !negated);
  if (function == Function::and_ || function == Function::or_) {
    const bool is_and = (function == Function::and_) != negated;
    std::vector<ExprPtr> operands;
    for (const ExprPtr& argument : condition->arguments)
      operands.push_back(push_not(argument, negated));
    return make_logic(is_and ? Function::and_ : Function::or_, std::move(operands));
  }
  if (!negated) return condition;
  if (is_constant(condition)) {
    if (condition->constant.is_null) return condition;
    return make_boolean(condition->constant.integer == 0);
  }
  if (is_comparison(function))
    return call(opposite(function), condition->arguments, condition->sql_offset);
  if (function == Function::is_null)
    return call(Function::is_not_null, condition->arguments, condition->sql_offset);
  if (function == Function::is_not_null)
    return call(Function::is_null, condition->arguments, condition->sql_offset);
  return call(Function::not_, {condition}, condition->sql_offset);
}

/// Takes out what cannot make the condition true, where NULL counts as false.
ExprPtr null_is_false(const ExprPtr& condition) {
  if (is_null_constant(condition)) return make_boolean(false);
  const Function function = condition->function;
  if (function != Function::and_ && function != Function::or_) return condition;
  std::vector<ExprPtr> operands;
  for (const ExprPtr& argument : condition->arguments) operands.push_back(null_is_false(argument));
  return make_logic(function, std::move(operands));
}

}  // namespace

ExprPtr make_logic(Function function, std::vector<ExprPtr> operands) {
  const bool neutral = function == Function::and_;
  std::vector<ExprPtr> kept;
  bool any_null = false;
  for (ExprPtr& operand : operands) {
    if (is_value(operand, !neutral)) return make_boolean(!neutral);
    if (is_value(operand, neutral)) continue;
    if (is_null_constant(operand)) {
      any_null = true;
    } else if (operand->function == function) {
      for (const ExprPtr& inner : operand->arguments) {
        if (is_null_constant(inner))
          any_null = true;
        else
          kept.push_back(inner);
      }
    } else {
      kept.push_back(std::move(operand));
    }
  }
  if (any_null) kept.push_back(make_null(kBoolean));
  if (kept.empty()) return make_boolean(neutral);
  if (kept.size() == 1) return kept[0];
  const uint32_t offset = kept[0]->sql_offset;
  return call(function, std::move(kept), offset);
}

Result<ExprPtr> make_not(ExprPtr value, uint32_t offset) {
  return make_call(Function::not_, kBoolean, {std::move(value)}, offset);
}

Result<ExprPtr> make_null_test(const ExprPtr& value, bool negated, uint32_t offset) {
  return make_call(negated ? Function::is_not_null : Function::is_null, kBoolean, {value}, offset);
}

std::vector<ExprPtr> conjuncts_of(const ExprPtr& condition) {
  const ExprPtr normal = null_is_false(push_not(condition, false));
  if (is_value(normal, true)) return {};
  return normal->function == Function::and_ ? normal->arguments : std::vector<ExprPtr>{normal};
}

}  // namespace grapnel::sql
