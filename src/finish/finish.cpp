#include "finish/finish.h"

#include <algorithm>
#include <numeric>

#include "finish/results.h"
#include "finish/sort.h"
#include "op/evaluate.h"

namespace grapnel::finish {

namespace {

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

void cut_to_limit(const op::Finish& finish, std::vector<size_t>& rows) {
  const size_t skipped = std::min<uint64_t>(finish.offset, rows.size());
  rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(skipped));
  if (finish.limit && *finish.limit < rows.size()) rows.resize(*finish.limit);
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
    const size_t row_count = partial.rows.size();
    results = results_of_rows(query.op, std::move(partial.rows.columns), row_count);
  }
  GRAPNEL_TRY(std::vector<size_t> rows, select_rows(query.finish, results));
  GRAPNEL_CHECK(sort_rows(query.finish, results, rows));
  cut_to_limit(query.finish, rows);
  return make_table(query, results, rows);
}

}  // namespace grapnel::finish
