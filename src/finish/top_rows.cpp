#include "finish/top_rows.h"

#include <algorithm>
#include <numeric>

#include "base/limits.h"
#include "finish/sort.h"

namespace grapnel::finish {

namespace {

/// Rows that wait before the kept ones are sorted again: enough to make that cheap per row.
constexpr uint64_t kWaitingRows = 16 << 10;

}  // namespace

bool TopRows::applies_to(const op::Query& query) {
  return !query.op.aggregating && !query.finish.order_by.empty() && query.finish.limit;
}

Status TopRows::add(state::RowBatch&& rows) {
  kept_.append_all(std::move(rows));
  const uint64_t wanted = rows_wanted(query_.finish);
  const uint64_t waiting = kept_.size() - std::min<uint64_t>(kept_.size(), wanted);
  if (waiting >= std::max(wanted, kWaitingRows)) GRAPNEL_CHECK(prune());
  return state::check_memory(kept_.memory_bytes());
}

Status TopRows::prune() {
  state::RowBatch all = std::move(kept_);
  Results results = results_of_rows(query_.op, std::move(all.columns), all.size());
  std::vector<size_t> rows(results.row_count);
  std::iota(rows.begin(), rows.end(), size_t{0});
  GRAPNEL_CHECK(sort_rows(query_.finish, results, rows));
  rows.resize(rows_wanted(query_.finish));
  std::sort(rows.begin(), rows.end());

  kept_ = state::RowBatch();
  for (size_t row : rows) kept_.file_offsets.push_back(all.file_offsets[row]);
  for (RowColumn& column : results.columns) {
    kept_.columns.push_back(gather(column, rows, true));
    for (const std::string& text : kept_.columns.back().texts) kept_.text_bytes += text.size();
  }
  return ok_status();
}

}  // namespace grapnel::finish
