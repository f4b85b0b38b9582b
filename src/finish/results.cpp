#include "finish/results.h"

#include <algorithm>

namespace grapnel::finish {

namespace {

template <typename T>
void pick(std::vector<T>& to, std::vector<T>& from, const std::vector<size_t>& rows,
          bool may_move) {
  if (from.empty()) return;  // not the member that this column uses
  to.reserve(rows.size());
  for (size_t row : rows) {
    if (may_move) {
      to.push_back(std::move(from[row]));
    } else {
      to.push_back(from[row]);
    }
  }
}

}  // namespace

Results results_of_rows(const op::Op& op, std::vector<RowColumn>&& columns, size_t row_count) {
  Results results;
  results.row_count = row_count;
  results.columns = std::move(columns);
  results.columns.resize(op.outputs.size());  // a batch without rows may have no columns
  for (const op::ExprPtr& output : op.outputs) results.types.push_back(output->type);
  return results;
}

Result<RowColumn> evaluate_for(const op::Expr& expr, const Results& results,
                               const std::vector<size_t>& rows, Places places) {
  RowColumn column;
  if (places == Places::own) column.resize(results.row_count, expr.type);
  ResultRow row_source(results);
  for (size_t row : rows) {
    row_source.set_row(row);
    GRAPNEL_TRY(const op::Datum value, op::evaluate(expr, row_source));
    if (places == Places::own) {
      column.set(row, value, expr.type);
    } else {
      column.append(value, expr.type);
    }
  }
  return column;
}

RowColumn gather(RowColumn& from, const std::vector<size_t>& rows, bool may_move) {
  // As many rows as there are, in order: all of them, each in its place.
  const bool all = rows.size() == from.nulls.size() && std::is_sorted(rows.begin(), rows.end());
  if (all && may_move) return std::move(from);
  RowColumn to;
  pick(to.integers, from.integers, rows, may_move);
  pick(to.reals, from.reals, rows, may_move);
  pick(to.texts, from.texts, rows, may_move);
  pick(to.nulls, from.nulls, rows, may_move);
  return to;
}

}  // namespace grapnel::finish
