// Typed expressions in the making: every constructor checks and converts the types of its operands,
// folds constants, and leaves the canonical form. Internal to src/sql.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "op/expr.h"

namespace grapnel::sql {

/// What a constant was in the text: it takes its type from where it stands.
enum class Literal : uint8_t {
  none,
  integer,   ///< 1: fits into TINYINT arithmetic, is DECIMAL beside DECIMAL, ...
  text,      ///< '1994-01-01' beside a DATE is a DATE
  null,      ///< of any type; INTEGER if nothing else decides
  interval,  ///< only in DATE + INTERVAL; `expr` is empty
};

struct Typed {
  op::ExprPtr expr;
  Literal literal = Literal::none;
  uint32_t offset = 0;  ///< in the SQL text
  int32_t months = 0, days = 0;

  [[nodiscard]] const op::Type& type() const { return expr->type; }
  [[nodiscard]] bool is_constant() const { return expr->function == op::Function::constant; }
  [[nodiscard]] bool is_null() const { return is_constant() && expr->constant.is_null; }
};

// All errors are ErrorKind::refused, placed at `offset` or at the operand that is wrong.

/// Function on operands of the right types; folded if all are constants.
Result<op::ExprPtr> make_call(op::Function function, op::Type type,
                              std::vector<op::ExprPtr> arguments, uint32_t offset);
op::ExprPtr make_boolean(bool value);
op::ExprPtr make_null(op::Type type);

/// Implicit or explicit cast. Types without a cast are refused.
Result<op::ExprPtr> make_cast(const op::ExprPtr& value, op::Type type, uint32_t offset);

/// + - * / // %
Result<op::ExprPtr> make_arithmetic(op::Function function, const Typed& a, const Typed& b,
                                    uint32_t offset);
Result<op::ExprPtr> make_negation(const Typed& value, uint32_t offset);

/// = <> < <= > >=
Result<op::ExprPtr> make_comparison(op::Function function, const Typed& a, const Typed& b,
                                    uint32_t offset);
Result<op::ExprPtr> make_in_list(const Typed& value, const std::vector<Typed>& candidates,
                                 uint32_t offset);
/// `escape`: NUL for none.
Result<op::ExprPtr> make_like(const Typed& value, const Typed& pattern, const Typed* escape,
                              uint32_t offset);

/// and_ or or_ of BOOLEAN operands: flat, without constants that do not matter.
op::ExprPtr make_logic(op::Function function, std::vector<op::ExprPtr> operands);
Result<op::ExprPtr> make_not(op::ExprPtr value, uint32_t offset);
/// IS NULL or IS NOT NULL.
Result<op::ExprPtr> make_null_test(const op::ExprPtr& value, bool negated, uint32_t offset);

/// A condition in the form that lowerings expect, where NULL counts as false (WHERE, HAVING): its
/// conjuncts, without NOT around comparisons, AND and OR. None: always true.
std::vector<op::ExprPtr> conjuncts_of(const op::ExprPtr& condition);

}  // namespace grapnel::sql
