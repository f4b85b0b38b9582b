// ORDER BY with LIMIT on a row query, in memory that depends on LIMIT and not on the file.
#pragma once

#include "base/result.h"
#include "op/query.h"
#include "state/partial.h"

namespace grapnel::finish {

/// Of the rows that it is given, keeps those that can still be in the answer. Not thread-safe.
class TopRows {
 public:
  /// True for row queries with ORDER BY and LIMIT.
  static bool applies_to(const op::Query& query);

  /// `query` outlives this.
  explicit TopRows(const op::Query& query) : query_(query) {}

  /// Rows that stand in the file after all that came before, themselves in file order. Errors: data
  /// (a sort key out of range), limit (memory).
  Status add(state::RowBatch&& rows);

  /// What is kept, in file order, for finish().
  [[nodiscard]] state::RowBatch take() { return std::move(kept_); }

 private:
  Status prune();

  const op::Query& query_;
  state::RowBatch kept_;
};

}  // namespace grapnel::finish
