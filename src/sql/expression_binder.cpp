#include "sql/expression_binder.h"

#include <utility>

#include "base/limits.h"
#include "sql/refusal.h"
#include "sql/type_rules.h"

namespace grapnel::sql {

using op::Datum;
using op::ExprPtr;
using op::Function;
using op::Type;
using op::TypeKind;

namespace {

bool is_aggregate(const std::string& name) {
  return name == "count" || name == "sum" || name == "avg" || name == "min" || name == "max";
}

Result<ExprPtr> negated_if(bool negated, ExprPtr value, uint32_t offset) {
  if (!negated) return value;
  return make_not(std::move(value), offset);
}

}  // namespace

Result<Typed> ExpressionBinder::bind(const Syntax& syntax) {
  if (depth_ == limits::kExpressionDepth) {
    return refuse(syntax.offset,
                  "the expression is nested too deeply (limit of grapnel: " +
                      std::to_string(limits::kExpressionDepth) + " levels)",
                  "split the expression");
  }
  if (++nodes_ > limits::kExpressionNodes) {
    return refuse(syntax.offset,
                  "the expressions are too large (limit of grapnel: " +
                      std::to_string(limits::kExpressionNodes) + " nodes)",
                  "aliases that use each other multiply");
  }
  depth_++;
  Result<Typed> result = dispatch(syntax);
  depth_--;
  return result;
}

Result<ExprPtr> ExpressionBinder::bind_condition(const Syntax& syntax, const char* what) {
  GRAPNEL_TRY(const Typed value, bind(syntax));
  const Type boolean = Type::of(TypeKind::boolean);
  if (value.literal == Literal::null) return make_null(boolean);
  if (value.literal == Literal::interval || value.type() != boolean) {
    const std::string type =
        value.literal == Literal::interval ? "INTERVAL" : value.type().to_string();
    return refuse(value.offset, std::string(what) + " needs a condition, not " + type,
                  "write a comparison, for example x <> 0");
  }
  return value.expr;
}

Result<Typed> ExpressionBinder::dispatch(const Syntax& syntax) {
  const auto typed = [&syntax](Result<ExprPtr> expr) -> Result<Typed> {
    if (!expr) return std::move(expr).error();
    return Typed{*std::move(expr), Literal::none, syntax.offset};
  };
  switch (syntax.kind) {
    case SyntaxKind::column:
      return scope_.column(syntax);
    case SyntaxKind::star:
      return refuse(syntax.offset, "* stands only in the SELECT list");
    case SyntaxKind::number:
      return number(syntax);
    case SyntaxKind::string:
      return Typed{op::make_constant(Datum::of_text(syntax.text), Type::of(TypeKind::varchar)),
                   Literal::text, syntax.offset};
    case SyntaxKind::boolean:
      return typed(make_boolean(syntax.text == "true"));
    case SyntaxKind::null:
      return Typed{make_null(Type::of(TypeKind::integer)), Literal::null, syntax.offset};
    case SyntaxKind::interval:
      return Typed{nullptr, Literal::interval, syntax.offset, syntax.months, syntax.days};
    case SyntaxKind::operation:
      return typed(operation(syntax));
    case SyntaxKind::positive: {
      GRAPNEL_TRY(Typed value, bind(*syntax.arguments[0]));
      if (value.literal == Literal::interval || !value.type().is_number())
        return refuse(syntax.offset, "there is no operator + for one value that is no number");
      return value;
    }
    case SyntaxKind::is_null: {
      GRAPNEL_TRY(const Typed value, bind(*syntax.arguments[0]));
      if (value.literal == Literal::interval)
        return refuse(value.offset, "an interval can only be added to a date");
      return typed(make_null_test(value.expr, syntax.negated, syntax.offset));
    }
    case SyntaxKind::is_boolean:
      return typed(is_boolean(syntax));
    case SyntaxKind::distinct_from:
      return typed(distinct_from(syntax));
    case SyntaxKind::between:
      return typed(between(syntax));
    case SyntaxKind::in_list:
      return typed(in_list(syntax));
    case SyntaxKind::like:
      return typed(like(syntax));
    case SyntaxKind::cast: {
      GRAPNEL_TRY(const Typed value, bind(*syntax.arguments[0]));
      if (value.literal == Literal::interval)
        return refuse(value.offset, "an interval can only be added to a date");
      return typed(make_cast(value.expr, syntax.type, syntax.offset));
    }
    case SyntaxKind::call:
      return call(syntax);
  }
  return refuse(syntax.offset, "this is not supported");
}

Result<Typed> ExpressionBinder::number(const Syntax& syntax) {
  const auto literal = number_literal(syntax.text);
  if (!literal) {
    return refuse(syntax.offset, "the number " + syntax.text + " needs more than 128 bits",
                  "write it with an exponent to get a DOUBLE");
  }
  return Typed{op::make_constant(literal->value, literal->type),
               literal->type.is_integer() ? Literal::integer : Literal::none, syntax.offset};
}

Result<ExprPtr> ExpressionBinder::operation(const Syntax& syntax) {
  const Function function = syntax.function;
  if (function == Function::and_ || function == Function::or_) return logic(syntax);
  if (function == Function::not_) {
    GRAPNEL_TRY(ExprPtr value, bind_condition(*syntax.arguments[0], "NOT"));
    return make_not(std::move(value), syntax.offset);
  }
  GRAPNEL_TRY(const Typed a, bind(*syntax.arguments[0]));
  if (function == Function::negate) return make_negation(a, syntax.offset);
  GRAPNEL_TRY(const Typed b, bind(*syntax.arguments[1]));
  const bool is_comparison = function >= Function::equal && function <= Function::greater_equal;
  return is_comparison ? make_comparison(function, a, b, syntax.offset)
                       : make_arithmetic(function, a, b, syntax.offset);
}

Result<ExprPtr> ExpressionBinder::logic(const Syntax& syntax) {
  const char* what = syntax.function == Function::and_ ? "AND" : "OR";
  std::vector<ExprPtr> operands;
  for (const SyntaxPtr& argument : syntax.arguments) {
    GRAPNEL_TRY(ExprPtr operand, bind_condition(*argument, what));
    operands.push_back(std::move(operand));
  }
  return make_logic(syntax.function, std::move(operands));
}

Result<ExprPtr> ExpressionBinder::between(const Syntax& syntax) {
  GRAPNEL_TRY(const Typed value, bind(*syntax.arguments[0]));
  GRAPNEL_TRY(const Typed low, bind(*syntax.arguments[1]));
  GRAPNEL_TRY(const Typed high, bind(*syntax.arguments[2]));
  GRAPNEL_TRY(ExprPtr above, make_comparison(Function::greater_equal, value, low, syntax.offset));
  GRAPNEL_TRY(ExprPtr below, make_comparison(Function::less_equal, value, high, syntax.offset));
  return negated_if(syntax.negated,
                    make_logic(Function::and_, {std::move(above), std::move(below)}),
                    syntax.offset);
}

Result<ExprPtr> ExpressionBinder::in_list(const Syntax& syntax) {
  GRAPNEL_TRY(const Typed value, bind(*syntax.arguments[0]));
  std::vector<Typed> candidates;
  for (size_t i = 1; i < syntax.arguments.size(); i++) {
    GRAPNEL_TRY(Typed candidate, bind(*syntax.arguments[i]));
    candidates.push_back(std::move(candidate));
  }
  if (value.literal == Literal::interval)
    return refuse(value.offset, "intervals cannot be compared");
  GRAPNEL_TRY(ExprPtr in, make_in_list(value, candidates, syntax.offset));
  return negated_if(syntax.negated, std::move(in), syntax.offset);
}

Result<ExprPtr> ExpressionBinder::like(const Syntax& syntax) {
  GRAPNEL_TRY(const Typed value, bind(*syntax.arguments[0]));
  GRAPNEL_TRY(const Typed pattern, bind(*syntax.arguments[1]));
  Typed escape;
  const bool has_escape = syntax.arguments.size() > 2;
  if (has_escape) {
    GRAPNEL_TRY(escape, bind(*syntax.arguments[2]));
  }
  GRAPNEL_TRY(ExprPtr like,
              make_like(value, pattern, has_escape ? &escape : nullptr, syntax.offset));
  return negated_if(syntax.negated, std::move(like), syntax.offset);
}

/// x IS TRUE: x is known and true.
Result<ExprPtr> ExpressionBinder::is_boolean(const Syntax& syntax) {
  GRAPNEL_TRY(ExprPtr value, bind_condition(*syntax.arguments[0], "IS"));
  GRAPNEL_TRY(ExprPtr known, make_null_test(value, true, syntax.offset));
  if (syntax.text == "false") {
    GRAPNEL_TRY(value, make_not(std::move(value), syntax.offset));
  }
  return negated_if(syntax.negated,
                    make_logic(Function::and_, {std::move(known), std::move(value)}),
                    syntax.offset);
}

/// a IS NOT DISTINCT FROM b: both are NULL, or both are known and equal.
Result<ExprPtr> ExpressionBinder::distinct_from(const Syntax& syntax) {
  GRAPNEL_TRY(const Typed a, bind(*syntax.arguments[0]));
  GRAPNEL_TRY(const Typed b, bind(*syntax.arguments[1]));
  GRAPNEL_TRY(ExprPtr equal, make_comparison(Function::equal, a, b, syntax.offset));
  GRAPNEL_TRY(ExprPtr a_null, make_null_test(a.expr, false, syntax.offset));
  GRAPNEL_TRY(ExprPtr b_null, make_null_test(b.expr, false, syntax.offset));
  GRAPNEL_TRY(ExprPtr a_known, make_null_test(a.expr, true, syntax.offset));
  GRAPNEL_TRY(ExprPtr b_known, make_null_test(b.expr, true, syntax.offset));
  ExprPtr same = make_logic(
      Function::or_,
      {make_logic(Function::and_, {std::move(a_null), std::move(b_null)}),
       make_logic(Function::and_, {std::move(a_known), std::move(b_known), std::move(equal)})});
  return negated_if(!syntax.negated, std::move(same), syntax.offset);
}

Result<Typed> ExpressionBinder::call(const Syntax& syntax) {
  if (is_aggregate(syntax.text)) return scope_.aggregate(syntax);
  return refuse(syntax.offset, "function " + syntax.text + " is not supported",
                "functions: count, sum, avg, min, max");
}

}  // namespace grapnel::sql
