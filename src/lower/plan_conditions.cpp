// Conditions -> nodes: comparisons, IN, LIKE.
#include <optional>

#include "lower/plan_builder.h"
#include "op/comparison.h"

namespace grapnel::lower {
namespace {

using op::Expr;
using op::Function;
using op::mirrored;
using op::TypeKind;

bool is_constant(const Expr& expr) {
  return expr.function == Function::constant && !expr.constant.is_null;
}

/// A LIKE pattern without '_' whose '%' stand at its ends only, taken apart.
struct SimplePattern {
  bool open_begin = false;  ///< starts with %
  bool open_end = false;
  std::string text;
};

std::optional<SimplePattern> simple_pattern(std::string_view pattern, char escape) {
  if (escape == '%' || escape == '_') return std::nullopt;
  SimplePattern simple;
  size_t i = 0;
  for (; i < pattern.size() && pattern[i] == '%'; i++) simple.open_begin = true;
  for (; i < pattern.size(); i++) {
    if (escape != '\0' && pattern[i] == escape) {
      if (++i == pattern.size()) return std::nullopt;
      simple.text += pattern[i];
    } else if (pattern[i] == '_') {
      return std::nullopt;
    } else if (pattern[i] == '%') {
      if (pattern.find_first_not_of('%', i) != std::string_view::npos) return std::nullopt;
      simple.open_end = true;
      break;
    } else {
      simple.text += pattern[i];
    }
  }
  if (simple.text.empty() && simple.open_begin) simple.open_end = true;
  return simple;
}

}  // namespace

bool PlanBuilder::is_date_field(const Expr& expr) const {
  return expr.function == Function::column && expr.type.kind == TypeKind::date &&
         layout_.format == source::Format::csv;
}

/// The constant as gr_load_date_order gives it. Outside of the years 0..9999, which is all that the
/// loader lets through, a key below or above all others.
uint32_t PlanBuilder::date_order_parameter(int64_t days) {
  const op::CivilDate date = op::civil_from_days(days);
  Parameter value;
  if (date.year < 0)
    value.integer = -1;
  else if (date.year > 9999)
    value.integer = int64_t{1} << 60;
  else
    value.integer = gr_date_order_key(static_cast<gr_u32>(date.year), date.month, date.day);
  return parameter(value, ValueClass::integer, {-1, int64_t{1} << 60});
}

uint32_t PlanBuilder::compare_text(Function function, const Expr& left, const Expr& right) {
  const bool equality = function == Function::equal || function == Function::not_equal;
  if (is_constant(left) && !is_constant(right))
    return compare_text(mirrored(function), right, left);
  if (equality && is_constant(right)) {
    const uint32_t number = text_parameter(right.constant_text);
    const uint32_t equal = make(NodeKind::text_equal, ValueClass::boolean, add(left), 0, number);
    return function == Function::equal ? equal : make(NodeKind::not_, ValueClass::boolean, equal);
  }
  if (plan_.target == Target::bpf) {
    refuse("comparing text, other than for equality with a constant, is not done in BPF");
    return 0;
  }
  const uint32_t a = add(left), b = add(right);
  return comparison(function, a, b);
}

uint32_t PlanBuilder::comparison(Function function, uint32_t a, uint32_t b) {
  switch (function) {
    case Function::equal:
      return make(NodeKind::equal, ValueClass::boolean, a, b);
    case Function::not_equal:
      return make(NodeKind::not_equal, ValueClass::boolean, a, b);
    case Function::less:
      return make(NodeKind::less, ValueClass::boolean, a, b);
    case Function::less_equal:
      return make(NodeKind::less_equal, ValueClass::boolean, a, b);
    case Function::greater:
      return make(NodeKind::less, ValueClass::boolean, b, a);
    default:
      return make(NodeKind::less_equal, ValueClass::boolean, b, a);
  }
}

uint32_t PlanBuilder::compare(Function function, const Expr& left, const Expr& right) {
  if (left.type.kind == TypeKind::varchar) return compare_text(function, left, right);
  if (is_date_field(right) && is_constant(left)) return compare(mirrored(function), right, left);
  uint32_t a = 0, b = 0;
  if (is_date_field(left) && is_constant(right)) {
    a = load(left.index, left.type, LoadKind::date_order, 0, {0, gr_date_order_key(9999, 12, 31)});
    b = date_order_parameter(static_cast<int64_t>(right.constant.integer));
  } else {
    a = add(left);
    b = add(right);
    if (plan_.nodes[a].value == ValueClass::boolean) {
      a = integer(NodeKind::from_boolean, a, 0, {0, 1});
      b = integer(NodeKind::from_boolean, b, 0, {0, 1});
    }
  }
  return comparison(function, a, b);
}

/// x = c1 OR x = c2 ..., in which NULL constants take part as NULL: exactly SQL's meaning.
uint32_t PlanBuilder::in_list(const Expr& expr) {
  std::optional<uint32_t> result;
  for (size_t i = 1; i < expr.arguments.size() && refusal_.empty(); i++) {
    const Expr& candidate = *expr.arguments[i];
    const bool is_null = candidate.function == Function::constant && candidate.constant.is_null;
    const uint32_t equal = is_null ? make(NodeKind::null, ValueClass::boolean)
                                   : compare(Function::equal, *expr.arguments[0], candidate);
    result = result ? make(NodeKind::or_, ValueClass::boolean, *result, equal) : equal;
  }
  if (!result) refuse("an IN list without elements is left to the interpreter");
  return result.value_or(0);
}

uint32_t PlanBuilder::like(const Expr& expr) {
  const Expr& pattern = *expr.arguments[1];
  if (pattern.function != Function::constant) {
    refuse("LIKE with a pattern that is no constant is left to the interpreter");
    return 0;
  }
  if (pattern.constant.is_null) return make(NodeKind::null, ValueClass::boolean);
  const auto simple = simple_pattern(pattern.constant_text, expr.escape);
  NodeKind kind = NodeKind::text_like;
  if (simple) {
    kind = simple->open_begin
               ? (simple->open_end ? NodeKind::text_contains : NodeKind::text_ends_with)
           : simple->open_end ? NodeKind::text_starts_with
                              : NodeKind::text_equal;
  }
  if (plan_.target == Target::bpf && kind == NodeKind::text_like) {
    refuse("LIKE is done in BPF only for patterns of the forms 'text', 'text%', '%text', '%text%'");
    return 0;
  }
  const uint32_t number = text_parameter(simple ? simple->text : pattern.constant_text);
  const uint32_t text = add(*expr.arguments[0]);
  Node node;
  node.kind = kind;
  node.value = ValueClass::boolean;
  node.left = text;
  node.a = number;
  node.b = kind == NodeKind::text_like ? static_cast<uint8_t>(expr.escape) : 0;
  return intern(node);
}

}  // namespace grapnel::lower
