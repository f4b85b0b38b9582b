// Arithmetic, casts and constant folding.
#include <algorithm>
#include <utility>

#include "op/evaluate.h"
#include "sql/refusal.h"
#include "sql/type_rules.h"
#include "sql/typed.h"

namespace grapnel::sql {

using op::Datum;
using op::Expr;
using op::ExprPtr;
using op::Function;
using op::Type;
using op::TypeKind;

namespace {

class NoColumns : public op::ValueSource {
 public:
  Result<Datum> load(uint32_t) override {
    Error error;
    error.message = "a constant expression reads a column";
    return error;
  }
};

/// NULL if any argument is NULL.
bool is_strict(Function function) {
  switch (function) {
    case Function::and_:
    case Function::or_:
    case Function::is_null:
    case Function::is_not_null:
    case Function::in_list:
      return false;
    default:
      return true;
  }
}

const char* sign_of(Function function) {
  switch (function) {
    case Function::add:
      return "+";
    case Function::subtract:
      return "-";
    case Function::multiply:
      return "*";
    case Function::divide:
      return "/";
    case Function::integer_divide:
      return "//";
    default:
      return "%";
  }
}

Error no_operator(Function function, const Typed& a, const Typed& b, uint32_t offset) {
  const auto name = [](const Typed& operand) {
    return operand.literal == Literal::interval ? std::string("INTERVAL")
                                                : operand.type().to_string();
  };
  return refuse(offset,
                std::string("there is no operator ") + sign_of(function) + " for " + name(a) +
                    " and " + name(b),
                "convert one side: CAST(x AS TYPE)");
}

bool is_small_integer(Type type) {
  return type.kind == TypeKind::tinyint || type.kind == TypeKind::smallint ||
         type.kind == TypeKind::integer || type.kind == TypeKind::utinyint ||
         type.kind == TypeKind::usmallint;
}

/// The day that lies `months` and `days` after `date`; the last of the month if it has no such day.
Datum shift_date(const Datum& date, int64_t months, int64_t days) {
  const op::CivilDate civil = op::civil_from_days(static_cast<int64_t>(date.integer));
  const int64_t month_count = civil.year * 12 + (civil.month - 1) + months;
  const int64_t year = month_count >= 0 ? month_count / 12 : -((-month_count + 11) / 12);
  const auto month = static_cast<unsigned>(month_count - year * 12 + 1);
  const int64_t first = op::days_from_civil(year, month, 1);
  const int64_t next =
      month == 12 ? op::days_from_civil(year + 1, 1, 1) : op::days_from_civil(year, month + 1, 1);
  const int64_t shifted = std::min(first + (civil.day - 1), next - 1);
  return Datum::of_integer(Int128{shifted} + days);
}

/// DATE constant +- INTERVAL constant. A DATE, where DuckDB has a TIMESTAMP at midnight.
Result<ExprPtr> date_and_interval(Function function, const Typed& a, const Typed& b,
                                  uint32_t offset) {
  const bool interval_first = a.literal == Literal::interval;
  const Typed& date = interval_first ? b : a;
  const Typed& interval = interval_first ? a : b;
  const bool fits =
      (function == Function::add || (function == Function::subtract && !interval_first)) &&
      date.literal != Literal::interval && date.type().kind == TypeKind::date;
  if (!fits) return no_operator(function, a, b, offset);
  if (!date.is_constant())
    return refuse(offset, "an interval can only be added to a constant date",
                  "move it to the constant, or add days: x + 30");
  if (date.is_null()) return make_null(date.type());
  const int64_t sign = function == Function::add ? 1 : -1;
  const Datum shifted =
      shift_date(date.expr->constant, sign * interval.months, sign * interval.days);
  if (!op::range_of(date.type()).contains(shifted.integer))
    return refuse(offset, "this date is out of range");
  return op::make_constant(shifted, date.type());
}

/// DATE +- whole number, DATE - DATE.
Result<ExprPtr> date_arithmetic(Function function, const Typed& a, const Typed& b,
                                uint32_t offset) {
  const bool a_is_date = a.type().kind == TypeKind::date;
  const bool b_is_date = b.type().kind == TypeKind::date;
  if (a_is_date && b_is_date) {
    if (function != Function::subtract) return no_operator(function, a, b, offset);
    return make_call(function, Type::of(TypeKind::bigint), {a.expr, b.expr}, offset);
  }
  const Typed& date = a_is_date ? a : b;
  const Typed& days = a_is_date ? b : a;
  const bool has_sign = function == Function::add || (function == Function::subtract && a_is_date);
  if (!has_sign || !is_small_integer(days.type())) return no_operator(function, a, b, offset);
  GRAPNEL_TRY(ExprPtr count, make_cast(days.expr, Type::of(TypeKind::integer), days.offset));
  return make_call(function, date.type(), {date.expr, std::move(count)}, offset);
}

Result<ExprPtr> call_with_casts(Function function, Type result, const Typed& a, Type a_type,
                                const Typed& b, Type b_type, uint32_t offset) {
  GRAPNEL_TRY(ExprPtr left, make_cast(a.expr, a_type, a.offset));
  GRAPNEL_TRY(ExprPtr right, make_cast(b.expr, b_type, b.offset));
  return make_call(function, result, {std::move(left), std::move(right)}, offset);
}

/// The type that an integer operand has beside `other`: a literal takes the other's if it fits.
Type integer_type_beside(const Typed& operand, const Typed& other) {
  if (operand.literal == Literal::integer && other.literal != Literal::integer &&
      op::range_of(other.type()).contains(operand.expr->constant.integer))
    return other.type();
  return operand.type();
}

/// NULL without a type of its own takes that of the other operand; beside a DATE it counts days.
Typed null_beside(const Typed& null, const Typed& other) {
  Type type = null.type();
  if (other.literal != Literal::interval && other.type().kind != TypeKind::date)
    type = other.type();
  return {make_null(type), Literal::none, null.offset};
}

}  // namespace

ExprPtr make_boolean(bool value) {
  return op::make_constant(Datum::of_bool(value), Type::of(TypeKind::boolean));
}

ExprPtr make_null(Type type) { return op::make_constant(Datum::null(), type); }

Result<ExprPtr> make_call(Function function, Type type, std::vector<ExprPtr> arguments,
                          uint32_t offset) {
  if (is_strict(function)) {
    for (const ExprPtr& argument : arguments) {
      if (argument->function == Function::constant && argument->constant.is_null)
        return make_null(type);
    }
  }
  auto expr = std::make_shared<Expr>();
  expr->function = function;
  expr->type = type;
  expr->arguments = std::move(arguments);
  expr->sql_offset = offset;
  for (const ExprPtr& argument : expr->arguments) {
    if (argument->function != Function::constant) return ExprPtr(std::move(expr));
  }
  NoColumns no_columns;
  Result<Datum> value = op::evaluate(*expr, no_columns);
  if (!value) {
    // The query would fail on its first record; say so before any is read.
    const bool is_text = expr->arguments[0]->type.kind == TypeKind::varchar;
    return refuse(offset, value.error().message, is_text ? "" : value.error().hint);
  }
  return op::make_constant(*value, type);
}

Result<ExprPtr> make_cast(const ExprPtr& value, Type type, uint32_t offset) {
  if (value->type == type) return value;
  const bool is_constant = value->function == Function::constant;
  if (is_constant && value->constant.is_null) return make_null(type);
  const auto is_numeric = [](Type t) { return t.is_number() || t.kind == TypeKind::boolean; };
  if (type.kind == TypeKind::varchar && is_constant) {
    const std::string text = op::to_text(value->constant, value->type);
    return op::make_constant(Datum::of_text(text), type);
  }
  if (value->type.kind == TypeKind::varchar || (is_numeric(value->type) && is_numeric(type)))
    return make_call(Function::cast, type, {value}, offset);
  return refuse(offset,
                "there is no cast from " + value->type.to_string() + " to " + type.to_string(),
                type.kind == TypeKind::varchar
                    ? "columns => '...' can declare the column as VARCHAR"
                    : "casts: between numbers and BOOLEAN, and from VARCHAR to every type");
}

Result<ExprPtr> make_arithmetic(Function function, const Typed& a, const Typed& b,
                                uint32_t offset) {
  if (a.literal == Literal::null && b.literal != Literal::null)
    return make_arithmetic(function, null_beside(a, b), b, offset);
  if (b.literal == Literal::null && a.literal != Literal::null)
    return make_arithmetic(function, a, null_beside(b, a), offset);
  if (a.literal == Literal::interval || b.literal == Literal::interval)
    return date_and_interval(function, a, b, offset);
  if (a.type().kind == TypeKind::date || b.type().kind == TypeKind::date)
    return date_arithmetic(function, a, b, offset);
  if (!a.type().is_number() || !b.type().is_number()) return no_operator(function, a, b, offset);

  const Type real = Type::of(TypeKind::real);
  const bool both_integers = a.type().is_integer() && b.type().is_integer();
  if (function == Function::divide)
    return call_with_casts(function, real, a, real, b, real, offset);
  if (function == Function::integer_divide && !both_integers)
    return refuse(offset, "// divides whole numbers only", "use /, or cast both sides to BIGINT");
  if (a.type().kind == TypeKind::real || b.type().kind == TypeKind::real)
    return call_with_casts(function, real, a, real, b, real, offset);
  if (both_integers) {
    const Type type = integer_result_type(integer_type_beside(a, b), integer_type_beside(b, a));
    return call_with_casts(function, type, a, type, b, type, offset);
  }
  const auto types = decimal_types(function, a.type(), b.type());
  if (types)
    return call_with_casts(function, types->result, a, types->left, b, types->right, offset);
  if (function == Function::modulo)
    return call_with_casts(function, real, a, real, b, real, offset);
  return refuse(offset, "the product would have more than 38 digits after the point",
                "cast an operand to DOUBLE or to a DECIMAL with fewer digits after the point");
}

Result<ExprPtr> make_negation(const Typed& value, uint32_t offset) {
  if (value.literal == Literal::null) return value.expr;
  if (value.literal == Literal::interval || !value.type().is_number()) {
    return refuse(offset, "there is no operator - for " + (value.literal == Literal::interval
                                                               ? std::string("INTERVAL")
                                                               : value.type().to_string()));
  }
  return make_call(Function::negate, value.type(), {value.expr}, offset);
}

}  // namespace grapnel::sql
