#include "engine/scan_run.h"

#include <limits>

#include "engine/statistics.h"
#include "engine/stopwatch.h"
#include "finish/top_rows.h"
#include "scan/scan.h"

namespace grapnel::engine {
namespace {

/// Rows after which the scan may stop: LIMIT without ORDER BY takes the first rows of the file.
std::optional<uint64_t> row_limit(const op::Query& query) {
  const op::Finish& finish = query.finish;
  if (query.op.aggregating || !finish.order_by.empty() || !finish.limit) return std::nullopt;
  uint64_t rows = 0;
  if (__builtin_add_overflow(*finish.limit, finish.offset, &rows)) {
    return std::numeric_limits<uint64_t>::max();
  }
  return rows;
}

uint64_t selected_records(const state::Partial& partial) {
  if (!partial.op().aggregating) return partial.rows.size();
  uint64_t selected = 0;
  for (size_t group = 0; group < partial.groups.size(); group++) {
    selected += partial.groups.slots(group)[state::kRecordCountSlot];
  }
  return selected;
}

}  // namespace

Result<state::Partial> ScanRun::scan(const RowSink& sink) {
  uint64_t rows_taken = 0;  // the sink is called by one thread at a time
  scan::Plan plan;
  plan.job = prepared_->job;
  plan.program = prepared_->program;
  plan.choose = prepared_->decision.choose;
  // The time of a scan that rests on purpose is not what its hooks take.
  if (prepared_->cpu_share >= 1) plan.observe = prepared_->decision.observe;
  plan.threads = prepared_->threads;
  plan.cpu_share = prepared_->cpu_share;
  plan.row_limit = row_limit(prepared_->query);
  plan.error_if_grown = options_.error_if_grown;
  plan.refuse_writers = options_.strict_stability;
  if (sink) {
    plan.row_sink = [&](state::RowBatch&& rows) {
      rows_taken += rows.size();
      return sink(std::move(rows));
    };
  }
  GRAPNEL_TRY(auto outcome, scan::run(plan, cancel_, [this](const scan::Progress& now) {
                const std::lock_guard lock(mutex_);
                progress_ = {now.bytes_done, now.bytes_total, now.seconds, now.hook};
              }));
  {
    const std::lock_guard lock(mutex_);
    statistics_ = make_statistics(*prepared_, outcome.statistics);
    statistics_.records = outcome.partial.records;
    statistics_.selected_records = rows_taken + selected_records(outcome.partial);
  }
  return std::move(outcome.partial);
}

Result<finish::FinishedTable> ScanRun::run() {
  finish::TopRows top(prepared_->query);
  const bool keeps_top = finish::TopRows::applies_to(prepared_->query);
  RowSink sink;
  if (keeps_top) sink = [&top](state::RowBatch&& rows) { return top.add(std::move(rows)); };
  GRAPNEL_TRY(auto partial, scan(sink));
  if (keeps_top) partial.rows = top.take();
  const Stopwatch finishing;
  GRAPNEL_TRY(auto table, finish::finish(prepared_->query, std::move(partial)));
  add_rows(table.row_count, finishing.seconds());
  return table;
}

wire::QueryProgress ScanRun::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

api::Statistics ScanRun::statistics() const {
  const std::lock_guard lock(mutex_);
  api::Statistics statistics = statistics_;
  statistics.result_rows = result_rows_;
  statistics.finish_seconds = finish_seconds_;
  return statistics;
}

void ScanRun::add_rows(uint64_t rows, double finish_seconds) {
  const std::lock_guard lock(mutex_);
  result_rows_ += rows;
  finish_seconds_ += finish_seconds;
}

}  // namespace grapnel::engine
