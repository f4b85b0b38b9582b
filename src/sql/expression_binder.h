// Syntax -> typed expressions. Internal to src/sql.
#pragma once

#include "base/result.h"
#include "sql/syntax.h"
#include "sql/typed.h"

namespace grapnel::sql {

/// What names and aggregates mean where an expression stands.
class Scope {
 public:
  virtual ~Scope() = default;
  virtual Result<Typed> column(const Syntax& syntax) = 0;
  /// `syntax` is a call of count, sum, avg, min or max.
  virtual Result<Typed> aggregate(const Syntax& syntax) = 0;
};

/// Binds expressions of one statement.
class ExpressionBinder {
 public:
  explicit ExpressionBinder(Scope& scope) : scope_(scope) {}

  /// Errors: ErrorKind::refused, with positions.
  Result<Typed> bind(const Syntax& syntax);

  /// An operand of AND, OR, NOT, or a whole condition. `what` names it in messages.
  Result<op::ExprPtr> bind_condition(const Syntax& syntax, const char* what);

 private:
  Result<Typed> dispatch(const Syntax& syntax);
  Result<Typed> number(const Syntax& syntax);
  Result<op::ExprPtr> operation(const Syntax& syntax);
  Result<op::ExprPtr> logic(const Syntax& syntax);
  Result<op::ExprPtr> between(const Syntax& syntax);
  Result<op::ExprPtr> in_list(const Syntax& syntax);
  Result<op::ExprPtr> like(const Syntax& syntax);
  Result<op::ExprPtr> is_boolean(const Syntax& syntax);
  Result<op::ExprPtr> distinct_from(const Syntax& syntax);
  Result<Typed> call(const Syntax& syntax);

  Scope& scope_;
  size_t depth_ = 0;  ///< with the aliases that are expanded
  size_t nodes_ = 0;  ///< bound so far, those of aliases at each use
};

}  // namespace grapnel::sql
