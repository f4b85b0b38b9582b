#include "lower/plan_builder.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "source/fixed.h"

namespace grapnel::lower {
namespace {

using op::Expr;
using op::Function;
using op::Type;
using op::TypeKind;

constexpr op::ValueRange kWord = {INT64_MIN, INT64_MAX};
/// What the loaders of text give at most: 18 digits.
constexpr op::ValueRange kDigits18 = {-999'999'999'999'999'999, 999'999'999'999'999'999};

op::ValueRange intersect(op::ValueRange a, op::ValueRange b) {
  return {std::max(a.least, b.least), std::min(a.greatest, b.greatest)};
}

ValueClass class_of(Type type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return ValueClass::boolean;
    case TypeKind::real:
      return ValueClass::real;
    case TypeKind::varchar:
      return ValueClass::text;
    default:
      return ValueClass::integer;
  }
}

int scale_of(Type type) { return type.kind == TypeKind::decimal ? type.scale : 0; }

/// Bounds of x op y for x, y within bounds; 128 bits hold all of them.
op::ValueRange bounds_of(NodeKind kind, const Node& x, const Node& y) {
  const Int128 a = x.low, b = x.high, c = y.low, d = y.high;
  switch (kind) {
    case NodeKind::add:
      return {a + c, b + d};
    case NodeKind::subtract:
      return {a - d, b - c};
    case NodeKind::multiply: {
      const auto [least, greatest] = std::minmax({a * c, a * d, b * c, b * d});
      return {least, greatest};
    }
    case NodeKind::divide: {  // |x / y| <= |x|
      const Int128 most = std::max({a < 0 ? -a : a, b < 0 ? -b : b});
      return {-most, most};
    }
    default: {  // modulo: |x % y| <= |x|, sign of x
      return {std::min(a, Int128{0}), std::max(b, Int128{0})};
    }
  }
}

}  // namespace

PlanBuilder::PlanBuilder(Plan& plan, const source::Layout& layout) : plan_(plan), layout_(layout) {
  if (plan_.nodes.empty()) plan_.nodes.emplace_back();  // the dummy of refused expressions
}

void PlanBuilder::refuse(std::string reason) {
  if (refusal_.empty()) refusal_ = std::move(reason);
}

uint32_t PlanBuilder::intern(Node node) {
  for (uint32_t i = 0; i < plan_.nodes.size(); i++) {
    if (plan_.nodes[i] == node) return i;
  }
  plan_.nodes.push_back(node);
  return static_cast<uint32_t>(plan_.nodes.size() - 1);
}

uint32_t PlanBuilder::make(NodeKind kind, ValueClass value, uint32_t left, uint32_t right,
                           uint32_t a) {
  Node node;
  node.kind = kind;
  node.value = value;
  node.left = left;
  node.right = right;
  node.a = a;
  return intern(node);
}

/// An integer node whose exact result lies within `exact` (before it is cut to 64 bits).
uint32_t PlanBuilder::integer(NodeKind kind, uint32_t left, uint32_t right, Bounds exact,
                              uint32_t a) {
  const Bounds bounds = intersect(exact, kWord);
  Node node;
  node.kind = kind;
  node.left = left;
  node.right = right;
  node.a = a;
  node.low = static_cast<int64_t>(bounds.least);
  node.high = static_cast<int64_t>(bounds.greatest);
  return intern(node);
}

/// `node`, escaping where it leaves the range of `type`.
uint32_t PlanBuilder::within(uint32_t node, Type type) {
  const Bounds range = intersect(op::range_of(type), kWord);
  const Node& inner = plan_.nodes[node];
  if (inner.low >= range.least && inner.high <= range.greatest) return node;
  return integer(NodeKind::check_range, node, 0, range);
}

uint32_t PlanBuilder::load(uint32_t column, Type type, LoadKind kind, uint32_t detail,
                           Bounds bounds) {
  auto& fields = plan_.table.fields;
  const auto at = std::lower_bound(
      fields.begin(), fields.end(), column,
      [](const TableShape::Field& field, uint32_t number) { return field.column < number; });
  if (at == fields.end() || at->column != column) {
    TableShape::Field field;
    field.column = column;
    if (layout_.format == source::Format::fixed) {
      field.offset = layout_.field_offsets[column];
      field.size_bytes = source::fixed_width(type);
      field.is_signed = !type.is_integer() || op::range_of(type).least < 0;
    }
    fields.insert(at, field);
  }
  Node node;
  node.kind = NodeKind::load;
  node.load_kind = kind;
  node.value = kind == LoadKind::boolean ? ValueClass::boolean
               : kind == LoadKind::real  ? ValueClass::real
               : kind == LoadKind::text  ? ValueClass::text
                                         : ValueClass::integer;
  node.a = column;
  node.b = detail;
  node.low = static_cast<int64_t>(intersect(bounds, kWord).least);
  node.high = static_cast<int64_t>(intersect(bounds, kWord).greatest);
  return intern(node);
}

uint32_t PlanBuilder::column(const Expr& expr) {
  const Type type = expr.type;
  const bool is_text = layout_.format == source::Format::csv;
  switch (type.kind) {
    case TypeKind::boolean:
      return load(expr.index, type, LoadKind::boolean, 0, kWord);
    case TypeKind::varchar:
      return load(expr.index, type, LoadKind::text, 0, kWord);
    case TypeKind::date:
      return load(expr.index, type, LoadKind::date, 0, {INT32_MIN, INT32_MAX});
    case TypeKind::real:
      if (plan_.target == Target::bpf)
        refuse("a DOUBLE column needs floating point, which BPF has not");
      return load(expr.index, type, LoadKind::real, 0, kWord);
    case TypeKind::decimal: {
      const uint32_t detail = uint32_t{type.precision} << 8 | type.scale;
      if (is_text)
        return load(expr.index, type, LoadKind::decimal, detail,
                    intersect(op::range_of(type), kDigits18));
      return within(load(expr.index, type, LoadKind::integer, 0, kWord), type);
    }
    default:
      if (is_text) return within(load(expr.index, type, LoadKind::integer, 0, kDigits18), type);
      if (type.kind == TypeKind::hugeint || type.kind == TypeKind::ubigint)
        return within(load(expr.index, type, LoadKind::integer, 0, kWord), type);
      return load(expr.index, type, LoadKind::integer, 0, op::range_of(type));
  }
}

uint32_t PlanBuilder::parameter(Parameter value, ValueClass value_class, Bounds bounds) {
  if (plan_.parameters.size() == GR_MAX_PARAMETERS) {
    refuse("the query has more than " + std::to_string(int{GR_MAX_PARAMETERS}) + " constants");
    return 0;
  }
  plan_.parameters.push_back(std::move(value));
  Node node;
  node.kind = NodeKind::parameter;
  node.value = value_class;
  node.a = static_cast<uint32_t>(plan_.parameters.size() - 1);
  node.low = static_cast<int64_t>(intersect(bounds, kWord).least);
  node.high = static_cast<int64_t>(intersect(bounds, kWord).greatest);
  return intern(node);
}

/// Number of the parameter (not of a node).
uint32_t PlanBuilder::text_parameter(std::string_view text) {
  if (plan_.target == Target::bpf && text.size() > GR_BPF_TEXT_BYTES)
    refuse("a text constant of more than " + std::to_string(int{GR_BPF_TEXT_BYTES}) +
           " bytes is too long for BPF");
  size_t used = (text.size() + 7) & ~size_t{7};
  for (const Parameter& other : plan_.parameters) used += (other.text.size() + 7) & ~size_t{7};
  if (used > GR_TEXT_PARAMETER_BYTES) {
    refuse("the query's text constants have more than " +
           std::to_string(int{GR_TEXT_PARAMETER_BYTES}) + " bytes");
    return 0;
  }
  Parameter value;
  value.kind = Parameter::Kind::text;
  value.text = text;
  return plan_.nodes[parameter(std::move(value), ValueClass::text, kWord)].a;
}

uint32_t PlanBuilder::constant(const Expr& expr) {
  const ValueClass value_class = class_of(expr.type);
  if (expr.constant.is_null) return make(NodeKind::null, value_class);
  Parameter value;
  switch (value_class) {
    case ValueClass::text: {
      const uint32_t number = text_parameter(expr.constant_text);
      return make(NodeKind::parameter, ValueClass::text, 0, 0, number);
    }
    case ValueClass::real:
      if (plan_.target == Target::bpf)
        refuse("a DOUBLE constant needs floating point, which BPF has not");
      value.kind = Parameter::Kind::real;
      value.real = expr.constant.real;
      return parameter(std::move(value), value_class, kWord);
    default:
      break;
  }
  if (!kWord.contains(expr.constant.integer)) {
    refuse("the constant " + expr.to_string() + " does not fit 64 bits");
    return 0;
  }
  value.integer = static_cast<int64_t>(expr.constant.integer);
  const uint32_t node = parameter(value, ValueClass::integer, op::range_of(expr.type));
  if (value_class == ValueClass::boolean)
    return make(NodeKind::is_nonzero, ValueClass::boolean, node);
  return node;
}

uint32_t PlanBuilder::real_arithmetic(const Expr& expr) {
  if (plan_.target == Target::bpf)
    refuse("arithmetic on DOUBLE needs floating point, which BPF has not");
  NodeKind kind = NodeKind::real_add;
  switch (expr.function) {
    case Function::add:
      break;
    case Function::subtract:
      kind = NodeKind::real_subtract;
      break;
    case Function::multiply:
      kind = NodeKind::real_multiply;
      break;
    case Function::divide:
      kind = NodeKind::real_divide;
      break;
    default:
      refuse("% of DOUBLE is left to the interpreter");
      return 0;
  }
  const uint32_t left = add(*expr.arguments[0]);
  return make(kind, ValueClass::real, left, add(*expr.arguments[1]));
}

uint32_t PlanBuilder::arithmetic(const Expr& expr) {
  if (expr.type.kind == TypeKind::real) return real_arithmetic(expr);
  NodeKind kind = NodeKind::add;
  switch (expr.function) {
    case Function::add:
      break;
    case Function::subtract:
      kind = NodeKind::subtract;
      break;
    case Function::multiply:
      kind = NodeKind::multiply;
      break;
    case Function::integer_divide:
      kind = NodeKind::divide;
      break;
    default:
      kind = NodeKind::modulo;
      break;
  }
  const uint32_t left = add(*expr.arguments[0]);
  const uint32_t right = add(*expr.arguments[1]);
  const Bounds exact = bounds_of(kind, plan_.nodes[left], plan_.nodes[right]);
  return within(integer(kind, left, right, exact), expr.type);
}

uint32_t PlanBuilder::negate(const Expr& expr) {
  const uint32_t value = add(*expr.arguments[0]);
  if (expr.type.kind == TypeKind::real) return make(NodeKind::real_negate, ValueClass::real, value);
  const Node& inner = plan_.nodes[value];
  const Bounds exact = {-Int128{inner.high}, -Int128{inner.low}};
  return within(integer(NodeKind::negate, value, 0, exact), expr.type);
}

uint32_t PlanBuilder::rescale(uint32_t node, int from, int to) {
  const Node& inner = plan_.nodes[node];
  if (from == to) return node;
  const auto digits = static_cast<uint32_t>(to > from ? to - from : from - to);
  if (digits > 18) {
    refuse("a change of scale by more than 18 digits is left to the interpreter");
    return 0;
  }
  const Int128 power = power_of_ten(static_cast<int>(digits));
  if (to > from)
    return integer(NodeKind::scale_up, node, 0, {inner.low * power, inner.high * power}, digits);
  const Bounds bounds = {inner.low / power - 1, inner.high / power + 1};
  return integer(NodeKind::scale_down, node, 0, bounds, digits);
}

uint32_t PlanBuilder::cast(const Expr& expr) {
  const Type from = expr.arguments[0]->type;
  const Type to = expr.type;
  if (from == to) return add(*expr.arguments[0]);
  const ValueClass target = class_of(to);
  const bool numbers = (from.is_number() || from.kind == TypeKind::boolean) &&
                       (to.is_number() || to.kind == TypeKind::boolean);
  if (!numbers || from.kind == TypeKind::real) {
    refuse("a cast from " + from.to_string() + " to " + to.to_string() +
           " is left to the interpreter");
    return 0;
  }
  uint32_t value = add(*expr.arguments[0]);
  if (from.kind == TypeKind::boolean) value = integer(NodeKind::from_boolean, value, 0, {0, 1});
  if (target == ValueClass::boolean) return make(NodeKind::is_nonzero, target, value);
  if (target == ValueClass::real) {
    if (plan_.target == Target::bpf)
      refuse("a cast to DOUBLE needs floating point, which BPF has not");
    if (scale_of(from) > 18)
      refuse("DOUBLE from " + from.to_string() + " is left to the interpreter");
    return make(NodeKind::to_real, target, value, 0, static_cast<uint32_t>(scale_of(from)));
  }
  value = rescale(value, scale_of(from), scale_of(to));
  return refusal_.empty() ? within(value, to) : 0;
}

uint32_t PlanBuilder::connect(NodeKind kind, const Expr& expr) {
  uint32_t result = add(*expr.arguments[0]);
  for (size_t i = 1; i < expr.arguments.size(); i++)
    result = make(kind, ValueClass::boolean, result, add(*expr.arguments[i]));
  return result;
}

uint32_t PlanBuilder::add(const Expr& expr) {
  if (!refusal_.empty()) return 0;
  switch (expr.function) {
    case Function::column:
      return column(expr);
    case Function::constant:
      return constant(expr);
    case Function::add:
    case Function::subtract:
    case Function::multiply:
    case Function::divide:
    case Function::integer_divide:
    case Function::modulo:
      return arithmetic(expr);
    case Function::negate:
      return negate(expr);
    case Function::equal:
    case Function::not_equal:
    case Function::less:
    case Function::less_equal:
    case Function::greater:
    case Function::greater_equal:
      return compare(expr.function, *expr.arguments[0], *expr.arguments[1]);
    case Function::and_:
      return connect(NodeKind::and_, expr);
    case Function::or_:
      return connect(NodeKind::or_, expr);
    case Function::not_:
      return make(NodeKind::not_, ValueClass::boolean, add(*expr.arguments[0]));
    case Function::is_null:
      return make(NodeKind::is_null, ValueClass::boolean, add(*expr.arguments[0]));
    case Function::is_not_null:
      return make(NodeKind::not_, ValueClass::boolean,
                  make(NodeKind::is_null, ValueClass::boolean, add(*expr.arguments[0])));
    case Function::in_list:
      return in_list(expr);
    case Function::like:
      return like(expr);
    case Function::cast:
      return cast(expr);
    case Function::result:
    case Function::average:
      break;
  }
  refuse("the expression " + expr.to_string() + " does not run per record");
  return 0;
}

}  // namespace grapnel::lower
