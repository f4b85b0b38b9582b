#include "op/evaluate.h"

#include <cmath>
#include <optional>

namespace grapnel::op {

namespace {

/// Where an error arose in the SQL text, so that a message can point at it.
Error data_error(const Expr& expr, std::string message, std::string hint) {
  Error error;
  error.kind = ErrorKind::data;
  error.message = std::move(message);
  error.hint = std::move(hint);
  error.sql_offset = expr.sql_offset;
  return error;
}

Error internal_error(const Expr& expr, const std::string& what) {
  Error error;
  error.kind = ErrorKind::internal;
  error.message = "the expression " + expr.to_string() + " cannot be evaluated: " + what;
  return error;
}

Error overflow_error(const Expr& expr, const char* operation, const char* sign, const Datum& a,
                     const Datum& b) {
  const Type left = expr.arguments[0]->type;
  const Type right = expr.arguments[1]->type;
  return data_error(expr,
                    std::string("out of range: overflow in ") + operation + " of " +
                        expr.type.to_string() + " (" + to_text(a, left) + sign + to_text(b, right) +
                        ")",
                    "cast an operand to a wider type, e.g. HUGEINT, DECIMAL(38,2) or DOUBLE");
}

// --- arithmetic ---

struct Operation {
  const char* name;
  const char* sign;
};

Operation describe(Function function) {
  switch (function) {
    case Function::add:
      return {"addition", " + "};
    case Function::subtract:
      return {"subtraction", " - "};
    case Function::multiply:
      return {"multiplication", " * "};
    case Function::integer_divide:
      return {"division", " // "};
    default:
      return {"division", " % "};
  }
}

double real_arithmetic(Function function, double a, double b) {
  switch (function) {
    case Function::add:
      return a + b;
    case Function::subtract:
      return a - b;
    case Function::multiply:
      return a * b;
    case Function::modulo:
      return std::fmod(a, b);
    default:
      return a / b;
  }
}

/// Empty when the result needs more than 128 bits. `b` is not 0 for divisions.
std::optional<Int128> exact_arithmetic(Function function, Int128 a, Int128 b) {
  switch (function) {
    case Function::add:
      return checked_add(a, b);
    case Function::subtract:
      return checked_subtract(a, b);
    case Function::multiply:
      return checked_multiply(a, b);
    default:
      break;
  }
  if (a == kInt128Min && b == -1) return std::nullopt;
  return function == Function::integer_divide ? a / b : a % b;
}

Result<Datum> arithmetic(const Expr& expr, const Datum& a, const Datum& b) {
  if (expr.type.kind == TypeKind::real)
    return Datum::of_real(real_arithmetic(expr.function, a.real, b.real));
  const auto [name, sign] = describe(expr.function);
  const bool divides =
      expr.function == Function::integer_divide || expr.function == Function::modulo;
  if (divides && b.integer == 0) {
    return data_error(
        expr, std::string("division by zero (") + to_text(a, expr.arguments[0]->type) + sign + "0)",
        "leave such records out with WHERE, or divide with / to get inf");
  }
  const auto value = exact_arithmetic(expr.function, a.integer, b.integer);
  // The least value divided by -1 is out of range for its remainder too (DuckDB).
  const bool lone_edge = divides && b.integer == -1 && expr.type.is_integer() &&
                         a.integer == range_of(expr.type).least && a.integer < 0;
  if (!value || lone_edge || !range_of(expr.type).contains(*value))
    return overflow_error(expr, name, sign, a, b);
  return Datum::of_integer(*value);
}

Result<Datum> negate(const Expr& expr, const Datum& a) {
  if (expr.type.kind == TypeKind::real) return Datum::of_real(-a.real);
  const auto value = checked_subtract(0, a.integer);
  if (!value || !range_of(expr.type).contains(*value)) {
    return data_error(expr,
                      "out of range: overflow in negation of " + expr.type.to_string() + " (-(" +
                          to_text(a, expr.type) + "))",
                      "cast the operand to a wider signed type first");
  }
  return Datum::of_integer(*value);
}

bool comparison(Function function, int order) {
  switch (function) {
    case Function::equal:
      return order == 0;
    case Function::not_equal:
      return order != 0;
    case Function::less:
      return order < 0;
    case Function::less_equal:
      return order <= 0;
    case Function::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

// --- casts ---

int scale_of(Type type) { return type.kind == TypeKind::decimal ? type.scale : 0; }

double power_of_ten_real(int exponent) { return static_cast<double>(power_of_ten(exponent)); }

/// As DuckDB rounds it: one division while the digits are exact in a double, else two parts.
double exact_to_real(Int128 value, int scale) {
  if (scale == 0) return static_cast<double>(value);
  constexpr Int128 kExact = Int128{1} << 53;
  if (value >= -kExact && value <= kExact)
    return static_cast<double>(value) / power_of_ten_real(scale);
  const Int128 unit = power_of_ten(scale);
  const Int128 whole = value / unit;
  const Int128 fraction = value % unit;
  return static_cast<double>(whole) + static_cast<double>(fraction) / power_of_ten_real(scale);
}

/// value x 10^(to - from), half away from zero. Empty beyond 128 bits.
std::optional<Int128> rescale(Int128 value, int from, int to) {
  if (to >= from) return checked_multiply(value, power_of_ten(to - from));
  const Int128 unit = power_of_ten(from - to);
  const Int128 quotient = value / unit;
  const Int128 remainder = value % unit;
  if (remainder >= unit / 2) return quotient + 1;
  if (-remainder >= unit / 2) return quotient - 1;
  return quotient;
}

/// DuckDB: to integers half to even, to decimals half away from zero.
std::optional<Int128> real_to_exact(double value, Type type) {
  const double rounded = type.kind == TypeKind::decimal
                             ? std::round(value * power_of_ten_real(type.scale))
                             : std::nearbyint(value);
  constexpr double kLimit = 170141183460469231731687303715884105728.0;  // 2^127
  if (!(rounded >= -kLimit && rounded < kLimit)) return std::nullopt;   // nan fails too
  return static_cast<Int128>(rounded);
}

Error cast_error(const Expr& expr, const Datum& value, Type from) {
  const std::string text = to_text(value, from);
  if (from.kind == TypeKind::varchar)
    return data_error(expr, "'" + text + "' is no " + expr.type.to_string(),
                      "leave such records out with WHERE");
  return data_error(
      expr,
      "out of range: " + from.to_string() + " " + text + " does not fit " + expr.type.to_string(),
      "cast to a wider type");
}

Result<Datum> cast(const Expr& expr, const Datum& value) {
  const Type from = expr.arguments[0]->type;
  const Type to = expr.type;
  if (from == to) return value;
  if (from.kind == TypeKind::varchar) {
    const auto parsed = parse_text(value.text, to);
    if (!parsed) return cast_error(expr, value, from);
    return *parsed;
  }
  const bool from_number = from.is_number() || from.kind == TypeKind::boolean;
  const bool to_number = to.is_number() || to.kind == TypeKind::boolean;
  if (!from_number || !to_number) {
    return internal_error(expr,
                          "there is no cast from " + from.to_string() + " to " + to.to_string());
  }
  if (to.kind == TypeKind::boolean)
    return Datum::of_bool(from.kind == TypeKind::real ? value.real != 0 : value.integer != 0);
  if (to.kind == TypeKind::real)
    return Datum::of_real(exact_to_real(value.integer, scale_of(from)));
  const auto exact = from.kind == TypeKind::real
                         ? real_to_exact(value.real, to)
                         : rescale(value.integer, scale_of(from), scale_of(to));
  if (!exact || !range_of(to).contains(*exact)) return cast_error(expr, value, from);
  return Datum::of_integer(*exact);
}

/// sum / count. Exact sums are divided in 80 bits, as DuckDB's avg does, so that the result is the
/// DOUBLE nearest to the true average in nearly all cases.
Datum average(const Datum& sum, Type sum_type, const Datum& count) {
  if (sum_type.kind == TypeKind::real)
    return Datum::of_real(sum.real / static_cast<double>(count.integer));
  const auto divisor = static_cast<long double>(count.integer) *
                       static_cast<long double>(power_of_ten(scale_of(sum_type)));
  return Datum::of_real(static_cast<double>(static_cast<long double>(sum.integer) / divisor));
}

// --- logic ---

/// AND (deciding value false) and OR (deciding value true). An argument with the deciding value
/// wins over failures and NULLs, a failure over NULL.
Result<Datum> logic(const Expr& expr, ValueSource& source, bool deciding) {
  std::optional<Error> failure;
  bool any_null = false;
  for (const ExprPtr& argument : expr.arguments) {
    Result<Datum> value = evaluate(*argument, source);
    if (!value) {
      if (!failure) failure = std::move(value).error();
    } else if (value->is_null) {
      any_null = true;
    } else if ((value->integer != 0) == deciding) {
      return Datum::of_bool(deciding);
    }
  }
  if (failure) return *std::move(failure);
  if (any_null) return Datum::null();
  return Datum::of_bool(!deciding);
}

Result<Datum> in_list(const Expr& expr, ValueSource& source) {
  GRAPNEL_TRY(const Datum value, evaluate(*expr.arguments[0], source));
  if (value.is_null) return Datum::null();
  bool any_null = false;
  for (size_t i = 1; i < expr.arguments.size(); i++) {
    GRAPNEL_TRY(const Datum candidate, evaluate(*expr.arguments[i], source));
    if (candidate.is_null) {
      any_null = true;
    } else if (compare(value, candidate, expr.arguments[0]->type) == 0) {
      return Datum::of_bool(true);
    }
  }
  return any_null ? Datum::null() : Datum::of_bool(false);
}

// --- calls whose arguments are all needed ---

Result<Datum> unary(const Expr& expr, ValueSource& source) {
  GRAPNEL_TRY(const Datum a, evaluate(*expr.arguments[0], source));
  if (expr.function == Function::is_null) return Datum::of_bool(a.is_null);
  if (expr.function == Function::is_not_null) return Datum::of_bool(!a.is_null);
  if (a.is_null) return Datum::null();
  if (expr.function == Function::not_) return Datum::of_bool(a.integer == 0);
  if (expr.function == Function::negate) return negate(expr, a);
  return cast(expr, a);
}

Result<Datum> binary(const Expr& expr, ValueSource& source) {
  GRAPNEL_TRY(const Datum a, evaluate(*expr.arguments[0], source));
  GRAPNEL_TRY(const Datum b, evaluate(*expr.arguments[1], source));
  if (a.is_null || b.is_null) return Datum::null();
  switch (expr.function) {
    case Function::equal:
    case Function::not_equal:
    case Function::less:
    case Function::less_equal:
    case Function::greater:
    case Function::greater_equal:
      return Datum::of_bool(comparison(expr.function, compare(a, b, expr.arguments[0]->type)));
    case Function::like:
      return Datum::of_bool(like_matches(a.text, b.text, expr.escape));
    case Function::average:
      return average(a, expr.arguments[0]->type, b);
    default:
      return arithmetic(expr, a, b);
  }
}

}  // namespace

Result<Datum> evaluate(const Expr& expr, ValueSource& source) {
  switch (expr.function) {
    case Function::column:
    case Function::result:
      return source.load(expr.index);
    case Function::constant: {
      Datum value = expr.constant;
      // Not constant.text: it would point into the tree that this one was copied from.
      if (expr.type.kind == TypeKind::varchar) value.text = expr.constant_text;
      return value;
    }
    case Function::and_:
      return logic(expr, source, false);
    case Function::or_:
      return logic(expr, source, true);
    case Function::in_list:
      return in_list(expr, source);
    case Function::not_:
    case Function::is_null:
    case Function::is_not_null:
    case Function::negate:
    case Function::cast:
      return unary(expr, source);
    default:
      return binary(expr, source);
  }
}

Result<bool> passes(const std::vector<ExprPtr>& filter, ValueSource& source) {
  std::optional<Error> failure;
  for (const ExprPtr& conjunct : filter) {
    Result<Datum> value = evaluate(*conjunct, source);
    if (!value) {
      if (!failure) failure = std::move(value).error();
    } else if (value->is_null || value->integer == 0) {
      return false;
    }
  }
  if (failure) return *std::move(failure);
  return true;
}

}  // namespace grapnel::op
