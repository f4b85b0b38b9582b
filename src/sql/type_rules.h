// Which type an operator gives and to which its operands are cast first: DuckDB's rules. Internal
// to src/sql.
#pragma once

#include <optional>
#include <string_view>

#include "op/datum.h"
#include "op/expr.h"
#include "op/type.h"

namespace grapnel::sql {

/// Of + - * // % between two integer types.
op::Type integer_result_type(op::Type a, op::Type b);

/// Decimal digits that hold every value of an integer type: INTEGER is DECIMAL(10,0).
op::Type as_decimal(op::Type exact);

/// Operand and result types of an operator on exact numbers of which one is DECIMAL.
struct DecimalTypes {
  op::Type left, right, result;
};
/// + - * %. Empty where DuckDB has no decimal for it: products with more than 38 digits after the
/// point, remainders with more than 38 digits in all.
std::optional<DecimalTypes> decimal_types(op::Function function, op::Type a, op::Type b);

/// The exact type in which values of both types are compared.
op::Type common_exact_type(op::Type a, op::Type b);

struct NumberLiteral {
  op::Type type;
  op::Datum value;
};
/// A number as DuckDB reads it from SQL text (digits, point, exponent, perhaps a minus sign): whole
/// numbers are INTEGER, BIGINT or HUGEINT by size; with a point DECIMAL(digits, digits after the
/// point) up to 38 digits; else DOUBLE. Empty: a whole number beyond HUGEINT.
std::optional<NumberLiteral> number_literal(std::string_view text);

}  // namespace grapnel::sql
