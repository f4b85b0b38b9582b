// PostgreSQL's tree -> our own. What grapnel does not know is refused here, by name. Internal to
// src/sql.
#pragma once

#include "base/result.h"
#include "sql/postgres.h"
#include "sql/prepare.h"
#include "sql/syntax.h"

namespace grapnel::sql {

/// Converts expressions. One per statement.
class ExpressionConverter {
 public:
  explicit ExpressionConverter(const PreparedText& prepared) : prepared_(prepared) {}

  /// Errors: ErrorKind::refused, with positions in the original text.
  Result<SyntaxPtr> convert(const PgQuery__Node& node);

  /// An item of the SELECT list: also * and t.*
  Result<SyntaxPtr> convert_item(const PgQuery__Node& node);

  /// Offset in the original text.
  [[nodiscard]] uint32_t place(int32_t location) const;

 private:
  using Made = std::unique_ptr<Syntax>;
  Result<SyntaxPtr> dispatch(const PgQuery__Node& node);
  Result<SyntaxPtr> constant(const PgQuery__AConst& node);
  Result<SyntaxPtr> column(const PgQuery__ColumnRef& node, bool star_allowed);
  Result<SyntaxPtr> expression(const PgQuery__AExpr& node);
  Result<SyntaxPtr> operation(const PgQuery__AExpr& node);
  Result<SyntaxPtr> between(const PgQuery__AExpr& node, bool negated);
  Result<SyntaxPtr> in_list(const PgQuery__AExpr& node);
  Result<SyntaxPtr> like(const PgQuery__AExpr& node);
  Result<SyntaxPtr> distinct(const PgQuery__AExpr& node, bool negated);
  Result<SyntaxPtr> logic(const PgQuery__BoolExpr& node);
  Result<SyntaxPtr> boolean_test(const PgQuery__BooleanTest& node);
  Result<SyntaxPtr> null_test(const PgQuery__NullTest& node);
  Result<SyntaxPtr> cast(const PgQuery__TypeCast& node);
  Result<SyntaxPtr> interval(const PgQuery__TypeCast& node);
  Result<SyntaxPtr> call(const PgQuery__FuncCall& node);

  [[nodiscard]] Made make(SyntaxKind kind, int32_t location) const;
  Status add_argument(Syntax& parent, const PgQuery__Node* argument);

  const PreparedText& prepared_;
  size_t depth_ = 0;
};

/// Place of a node in the parser's text, or -1.
int32_t location_of(const PgQuery__Node& node);

/// The text of a String node, or empty.
std::string_view string_of(const PgQuery__Node& node);

/// Months and days of an interval: '3 months', '1 year 2 days', or '90' with PostgreSQL's mask of
/// units (0: none given). Empty if it is something else.
struct Interval {
  int32_t months = 0, days = 0;
};
std::optional<Interval> parse_interval(std::string_view text, int32_t unit_mask);

}  // namespace grapnel::sql
