// The typed expression tree: the one meaning of a query. Every lowering (plain interpreter, native
// code, BPF) starts from this tree and must give what evaluate() (op/evaluate.h) gives.
//
// Rules that hold everywhere:
// - Operands of an operator have the types that the operator's row in the list below names; the
//   binder inserts casts, so nobody converts implicitly later.
// - NULL in, NULL out, except: and_, or_ (Kleene), is_null, is_not_null, in_list (SQL).
// - Integer and decimal arithmetic that leaves the result type's range is an error, never wrapped.
// - and_ is false if one argument is false, or_ is true if one is true, even if another argument
//   failed; the failure counts only if nothing decides. So a lowering may try them in any order.
// - A record for which one conjunct of the filter is false (or NULL) without an error is rejected,
//   whatever the other conjuncts do; if none rejects it and one failed, the query fails. So the
//   order in which conjuncts are tried has no influence on the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "op/datum.h"
#include "op/type.h"

namespace grapnel::op {

enum class Function : uint8_t {
  column,    ///< field `index` of the record
  constant,  ///< `constant`
  result,    ///< finish expressions only: `index` into keys ++ aggregates (or row outputs)

  add,       ///< both of the result type (integer, decimal, double); or DATE + INTEGER
  subtract,  ///< as add; or DATE - INTEGER -> DATE; or DATE - DATE -> BIGINT
  multiply,  ///< integer, double: as add; decimal: scales add up (result.scale = a.scale + b.scale)
  divide,    ///< DOUBLE / DOUBLE -> DOUBLE by IEEE 754; x / 0 is inf or nan (DuckDB 2.0)
  integer_divide,  ///< integers, rounds toward zero; x // 0 is an error (DuckDB 2.0)
  modulo,          ///< sign of the dividend; x % 0 is an error, for DOUBLE nan (DuckDB 2.0)
  negate,

  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,  ///< comparisons: both operands of one type; result BOOLEAN

  and_,
  or_,
  not_,
  is_null,
  is_not_null,
  in_list,  ///< arguments[0] in arguments[1..], all constants of its type
  like,     ///< arguments[0] VARCHAR, arguments[1] constant pattern: % and _; `escape` below

  cast,    ///< exact numbers: rescale, range checked, half away from zero; any number -> DOUBLE;
           ///< VARCHAR -> and to others where docs/sql.md says so
  average  ///< finish only: sum state / count state -> DOUBLE
};

struct Expr;
/// Trees are immutable once bound and shared freely between threads.
using ExprPtr = std::shared_ptr<const Expr>;

struct Expr {
  Function function = Function::constant;
  Type type;
  std::vector<ExprPtr> arguments;
  uint32_t index = 0;  ///< column, result
  Datum constant;      ///< constant (text points into `constant_text`)
  std::string constant_text;
  char escape = '\0';       ///< like: escape character, or NUL for none
  uint32_t sql_offset = 0;  ///< where it stood in the SQL text, for messages

  /// SQL-like text, for EXPLAIN and messages; columns by `column_names` if given.
  [[nodiscard]] std::string to_string(const std::vector<std::string>* column_names = nullptr) const;
};

ExprPtr make_column(uint32_t index, Type type);
ExprPtr make_constant(const Datum& value, Type type);
ExprPtr make_result(uint32_t index, Type type);
ExprPtr make_call(Function function, Type type, std::vector<ExprPtr> arguments);

/// Indexes of the columns that `expr` reads, ascending, without repetition, appended to `columns`.
void collect_columns(const Expr& expr, std::vector<uint32_t>& columns);

/// True if both trees compute the same (same functions, types, columns, constants).
bool same_expression(const Expr& a, const Expr& b);

}  // namespace grapnel::op
