#include "finish/finish.h"

#include <algorithm>
#include <numeric>

#include "op/evaluate.h"

namespace grapnel::finish {

namespace {

using state::RowBatch;
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

Results results_of_rows(const op::Op& op, state::Partial&& partial) {
  Results results;
  results.row_count = partial.rows.size();
  results.columns = std::move(partial.rows.columns);
  results.columns.resize(op.outputs.size());  // a batch without rows may have no columns
  for (const op::ExprPtr& output : op.outputs) results.types.push_back(output->type);
  return results;
}

std::vector<size_t> groups_by_appearance(const state::GroupTable& groups) {
  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&groups](size_t a, size_t b) {
    return groups.slots(a)[state::kFirstOffsetSlot] < groups.slots(b)[state::kFirstOffsetSlot];
  });
  return order;
}

Result<Results> results_of_groups(const op::Op& op, state::Partial& partial) {
  if (op.keys.empty() && partial.groups.find_or_insert({}) == nullptr)
    return partial.groups.limit_error();
  Results results;
  results.row_count = partial.groups.size();
  for (const op::ExprPtr& key : op.keys) results.types.push_back(key->type);
  for (const op::Aggregate& aggregate : op.aggregates) results.types.push_back(aggregate.type);
  results.columns.resize(results.types.size());
  for (size_t group : groups_by_appearance(partial.groups)) {
    size_t column = 0;
    size_t position = 0;
    for (; column < op.keys.size(); column++) {
      const op::Type type = results.types[column];
      const op::Datum key = state::decode_key(partial.groups.key(group), &position, type);
      results.columns[column].append(key, type);
    }
    for (size_t i = 0; i < op.aggregates.size(); i++, column++) {
      GRAPNEL_TRY(const op::Datum value, partial.finish(partial.groups.slots(group), i));
      results.columns[column].append(value, results.types[column]);
    }
  }
  return results;
}

/// Rows that HAVING lets through, in order.
Result<std::vector<size_t>> select_rows(const op::Finish& finish, const Results& results) {
  std::vector<size_t> rows;
  if (!finish.having) {
    rows.resize(results.row_count);
    std::iota(rows.begin(), rows.end(), size_t{0});
    return rows;
  }
  ResultRow row_source(results);
  for (size_t row = 0; row < results.row_count; row++) {
    row_source.set_row(row);
    GRAPNEL_TRY(const op::Datum kept, op::evaluate(*finish.having, row_source));
    if (!kept.is_null && kept.integer != 0) rows.push_back(row);
  }
  return rows;
}

// --- ORDER BY ---

/// The values of one sort key for all rows; borrowed where the key is a result as it stands.
struct SortColumn {
  const RowColumn* values = nullptr;
  RowColumn owned;
  op::Type type;
  bool descending = false;
  bool nulls_first = false;

  /// Negative, 0, positive.
  [[nodiscard]] int compare(size_t a, size_t b) const {
    const bool a_is_null = values->nulls[a] != 0;
    const bool b_is_null = values->nulls[b] != 0;
    if (a_is_null || b_is_null) {
      const int nulls_last = static_cast<int>(a_is_null) - static_cast<int>(b_is_null);
      return nulls_first ? -nulls_last : nulls_last;
    }
    const int order = op::compare(values->value(a, type), values->value(b, type), type);
    return descending ? -order : order;
  }
};

enum class Places : uint8_t {
  packed,  ///< one value after the other
  own      ///< at the place of their row, as in the results; NULL between them
};

/// The values of `expr` for `rows`.
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

Status sort_rows(const op::Finish& finish, const Results& results, std::vector<size_t>& rows) {
  if (finish.order_by.empty()) return ok_status();
  std::vector<SortColumn> keys(finish.order_by.size());
  for (size_t i = 0; i < keys.size(); i++) {
    const op::SortKey& wanted = finish.order_by[i];
    SortColumn& key = keys[i];
    key.type = wanted.expression->type;
    key.descending = wanted.descending;
    key.nulls_first = wanted.nulls_first;
    if (wanted.expression->function == op::Function::result) {
      key.values = &results.columns[wanted.expression->index];
    } else {
      GRAPNEL_TRY(key.owned, evaluate_for(*wanted.expression, results, rows, Places::own));
      key.values = &key.owned;
    }
  }
  const auto comes_before = [&keys](size_t a, size_t b) {
    for (const SortColumn& key : keys) {
      if (const int order = key.compare(a, b); order != 0) return order < 0;
    }
    return a < b;  // ties in file order
  };
  size_t wanted = rows.size();
  if (finish.limit && *finish.limit < wanted && finish.offset < wanted - *finish.limit)
    wanted = finish.offset + *finish.limit;
  if (wanted == rows.size()) {
    std::sort(rows.begin(), rows.end(), comes_before);
  } else {
    std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(wanted), rows.end(),
                      comes_before);
  }
  return ok_status();
}

void cut_to_limit(const op::Finish& finish, std::vector<size_t>& rows) {
  const size_t skipped = std::min<uint64_t>(finish.offset, rows.size());
  rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(skipped));
  if (finish.limit && *finish.limit < rows.size()) rows.resize(*finish.limit);
}

// --- outputs ---

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

/// The values of `rows` (no row twice). Leaves `from` unusable if it may be moved from.
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

/// Columns whose values nothing needs after output `output`.
bool is_last_use(const std::vector<op::ExprPtr>& outputs, size_t output) {
  const uint32_t index = outputs[output]->index;
  const auto uses = [index](const op::ExprPtr& expr) {
    return expr->function == op::Function::result && expr->index == index;
  };
  return std::none_of(outputs.begin() + static_cast<ptrdiff_t>(output) + 1, outputs.end(), uses);
}

Result<FinishedTable> make_table(const op::Query& query, Results& results,
                                 const std::vector<size_t>& rows) {
  const std::vector<op::ExprPtr>& outputs = query.finish.outputs;
  FinishedTable table;
  table.schema = query.schema;
  table.row_count = rows.size();
  table.columns.resize(outputs.size());
  // Expressions first: the plain results are moved out.
  for (size_t i = 0; i < outputs.size(); i++) {
    if (outputs[i]->function == op::Function::result) continue;
    GRAPNEL_TRY(table.columns[i], evaluate_for(*outputs[i], results, rows, Places::packed));
  }
  for (size_t i = 0; i < outputs.size(); i++) {
    if (outputs[i]->function != op::Function::result) continue;
    table.columns[i] = gather(results.columns[outputs[i]->index], rows, is_last_use(outputs, i));
  }
  return table;
}

}  // namespace

op::Datum FinishedTable::value(size_t row, size_t column) const {
  return columns[column].value(row, schema[column].type);
}

Result<FinishedTable> finish(const op::Query& query, state::Partial&& partial) {
  Results results;
  if (query.op.aggregating) {
    GRAPNEL_TRY(results, results_of_groups(query.op, partial));
    partial.clear();
  } else {
    results = results_of_rows(query.op, std::move(partial));
  }
  GRAPNEL_TRY(std::vector<size_t> rows, select_rows(query.finish, results));
  GRAPNEL_CHECK(sort_rows(query.finish, results, rows));
  cut_to_limit(query.finish, rows);
  return make_table(query, results, rows);
}

}  // namespace grapnel::finish
