// What happens after the merge: finished aggregates, HAVING, output expressions, ORDER BY, OFFSET
// and LIMIT.
#pragma once

#include <vector>

#include "base/result.h"
#include "op/query.h"
#include "state/partial.h"

namespace grapnel::finish {

/// The answer of a query: one column of values per column of the schema.
struct FinishedTable {
  std::vector<op::OutputColumn> schema;
  std::vector<state::RowBatch::RowColumn> columns;
  size_t row_count = 0;

  /// Text is borrowed from the table.
  [[nodiscard]] op::Datum value(size_t row, size_t column) const;
};

/// Turns the merged partial state of the whole scan into the answer.
/// - Groups without ORDER BY come in order of first appearance, rows in file order; ORDER BY is
/// stable
///   on top of that.
/// - An aggregating query without keys gives one row even if no record passed.
/// Errors: data (arithmetic out of range in an output, a sum out of its type's range), limit.
Result<FinishedTable> finish(const op::Query& query, state::Partial&& partial);

}  // namespace grapnel::finish
