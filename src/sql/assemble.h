// The last step of binding: what is computed next to the data and what afterwards. Internal to
// src/sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "op/query.h"
#include "source/source.h"
#include "sql/syntax.h"

namespace grapnel::sql {

/// In bound clauses aggregate number i is Function::result kAggregate + i, because the keys, which
/// come first in a group's results, are not counted yet.
inline constexpr uint32_t kAggregate = 1U << 31;

/// One column of the result.
struct Output {
  std::string name;
  std::string alias;               ///< empty: none
  const Syntax* syntax = nullptr;  ///< none for a column out of *
  op::ExprPtr expr;
};

/// All clauses of a SELECT, as expressions over columns and aggregates.
struct BoundClauses {
  std::vector<Output> outputs;
  std::vector<op::ExprPtr> filter;
  std::vector<op::ExprPtr> keys;
  std::vector<op::Aggregate> aggregates;
  op::ExprPtr having;                  ///< or none
  std::vector<op::ExprPtr> sort_keys;  ///< parallel to SelectSyntax::order_by
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
};

/// True if the expression needs the result of an aggregate.
bool has_aggregate(const op::Expr& expr);

/// Errors: ErrorKind::refused: a column that is neither grouped nor aggregated.
Result<op::Query> assemble(const SelectSyntax& select, const std::vector<source::Column>& columns,
                           BoundClauses clauses);

}  // namespace grapnel::sql
