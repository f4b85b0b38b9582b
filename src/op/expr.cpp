#include "op/expr.h"

#include <algorithm>
#include <bit>

namespace grapnel::op {

namespace {

/// The sign between two operands, or nullptr where the function is not written that way.
const char* infix_sign(Function function) {
  switch (function) {
    case Function::add:
      return " + ";
    case Function::subtract:
      return " - ";
    case Function::multiply:
      return " * ";
    case Function::divide:
      return " / ";
    case Function::integer_divide:
      return " // ";
    case Function::modulo:
      return " % ";
    case Function::equal:
      return " = ";
    case Function::not_equal:
      return " <> ";
    case Function::less:
      return " < ";
    case Function::less_equal:
      return " <= ";
    case Function::greater:
      return " > ";
    case Function::greater_equal:
      return " >= ";
    case Function::and_:
      return " AND ";
    case Function::or_:
      return " OR ";
    case Function::like:
      return " LIKE ";
    default:
      return nullptr;
  }
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text) {
    if (c == '\'') result += '\'';
    result += c;
  }
  return result += '\'';
}

std::string constant_to_string(const Expr& expr) {
  if (expr.constant.is_null) return "NULL";
  if (expr.type.kind == TypeKind::varchar) return quoted(expr.constant.text);
  if (expr.type.kind == TypeKind::date) return "DATE " + quoted(to_text(expr.constant, expr.type));
  return to_text(expr.constant, expr.type);
}

using Names = const std::vector<std::string>*;

std::string join(const std::vector<ExprPtr>& arguments, size_t first, const char* separator,
                 Names names) {
  std::string text;
  for (size_t i = first; i < arguments.size(); i++) {
    if (i > first) text += separator;
    text += arguments[i]->to_string(names);
  }
  return text;
}

bool same_constant(const Expr& a, const Expr& b) {
  if (a.constant.is_null || b.constant.is_null) return a.constant.is_null == b.constant.is_null;
  if (a.type.kind == TypeKind::varchar) return a.constant.text == b.constant.text;
  // By bits: 0.0 and -0.0 are equal but not the same.
  if (a.type.kind == TypeKind::real)
    return std::bit_cast<uint64_t>(a.constant.real) == std::bit_cast<uint64_t>(b.constant.real);
  return a.constant.integer == b.constant.integer;
}

}  // namespace

std::string Expr::to_string(const std::vector<std::string>* column_names) const {
  switch (function) {
    case Function::column:
      if (column_names != nullptr && index < column_names->size()) return (*column_names)[index];
      return "column" + std::to_string(index);
    case Function::result:
      return "result" + std::to_string(index);
    case Function::constant:
      return constant_to_string(*this);
    case Function::negate:
      return "-(" + arguments[0]->to_string(column_names) + ")";
    case Function::not_:
      return "NOT (" + arguments[0]->to_string(column_names) + ")";
    case Function::is_null:
      return "(" + arguments[0]->to_string(column_names) + " IS NULL)";
    case Function::is_not_null:
      return "(" + arguments[0]->to_string(column_names) + " IS NOT NULL)";
    case Function::in_list:
      return "(" + arguments[0]->to_string(column_names) + " IN (" +
             join(arguments, 1, ", ", column_names) + "))";
    case Function::cast:
      return "CAST(" + arguments[0]->to_string(column_names) + " AS " + type.to_string() + ")";
    case Function::average:
      return "average(" + join(arguments, 0, ", ", column_names) + ")";
    default:
      break;
  }
  std::string text = "(" + join(arguments, 0, infix_sign(function), column_names);
  if (function == Function::like && escape != '\0') text += " ESCAPE " + quoted({&escape, 1});
  return text + ")";
}

ExprPtr make_column(uint32_t index, Type type) {
  auto expr = std::make_shared<Expr>();
  expr->function = Function::column;
  expr->type = type;
  expr->index = index;
  return expr;
}

ExprPtr make_constant(const Datum& value, Type type) {
  auto expr = std::make_shared<Expr>();
  expr->function = Function::constant;
  expr->type = type;
  expr->constant = value;
  if (!value.is_null && type.kind == TypeKind::varchar) {
    expr->constant_text = std::string(value.text);
    expr->constant.text = expr->constant_text;
  }
  return expr;
}

ExprPtr make_result(uint32_t index, Type type) {
  auto expr = std::make_shared<Expr>();
  expr->function = Function::result;
  expr->type = type;
  expr->index = index;
  return expr;
}

ExprPtr make_call(Function function, Type type, std::vector<ExprPtr> arguments) {
  auto expr = std::make_shared<Expr>();
  expr->function = function;
  expr->type = type;
  expr->arguments = std::move(arguments);
  return expr;
}

void collect_columns(const Expr& expr, std::vector<uint32_t>& columns) {
  if (expr.function == Function::column) {
    const auto place = std::lower_bound(columns.begin(), columns.end(), expr.index);
    if (place == columns.end() || *place != expr.index) columns.insert(place, expr.index);
  }
  for (const ExprPtr& argument : expr.arguments) collect_columns(*argument, columns);
}

bool same_expression(const Expr& a, const Expr& b) {
  if (a.function != b.function || a.type != b.type || a.index != b.index || a.escape != b.escape ||
      a.arguments.size() != b.arguments.size())
    return false;
  if (a.function == Function::constant && !same_constant(a, b)) return false;
  for (size_t i = 0; i < a.arguments.size(); i++) {
    if (!same_expression(*a.arguments[i], *b.arguments[i])) return false;
  }
  return true;
}

}  // namespace grapnel::op
