// The values that expressions after the merge work on. Inside of finish.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "op/evaluate.h"
#include "op/query.h"
#include "state/partial.h"

namespace grapnel::finish {

using RowColumn = state::RowBatch::RowColumn;

/// What Function::result refers to: keys ++ aggregates of each group, or the outputs of each
/// record, in the order in which they come without ORDER BY.
struct Results {
  std::vector<RowColumn> columns;
  std::vector<op::Type> types;
  size_t row_count = 0;

  [[nodiscard]] op::Datum value(size_t row, size_t column) const {
    return columns[column].value(row, types[column]);
  }
};

/// One row of the results, as the interpreter wants it.
class ResultRow : public op::ValueSource {
 public:
  explicit ResultRow(const Results& results) : results_(results) {}
  void set_row(size_t row) { row_ = row; }
  Result<op::Datum> load(uint32_t index) override { return results_.value(row_, index); }

 private:
  const Results& results_;
  size_t row_ = 0;
};

/// The outputs of a row query's records.
Results results_of_rows(const op::Op& op, std::vector<RowColumn>&& columns, size_t row_count);

enum class Places : uint8_t {
  packed,  ///< one value after the other
  own      ///< at the place of their row, as in the results; NULL between them
};

/// The values of `expr` for `rows`. Errors: data.
Result<RowColumn> evaluate_for(const op::Expr& expr, const Results& results,
                               const std::vector<size_t>& rows, Places places);

/// The values of `rows` (no row twice). Leaves `from` unusable if it may be moved from.
RowColumn gather(RowColumn& from, const std::vector<size_t>& rows, bool may_move);

}  // namespace grapnel::finish
