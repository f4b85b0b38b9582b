// One execution of a prepared query: the scan, what it measured, and how others stop and watch it.
#pragma once

#include <functional>
#include <mutex>

#include "base/cancel.h"
#include "base/result.h"
#include "engine/prepare.h"
#include "finish/finish.h"
#include "grapnel/grapnel.h"
#include "state/partial.h"
#include "wire/executor.h"

namespace grapnel::engine {

/// Takes rows in file order while the scan runs; see scan::Plan::row_sink.
using RowSink = std::function<Status(state::RowBatch&&)>;

class ScanRun {
 public:
  ScanRun(std::shared_ptr<const Prepared> prepared, const wire::ExecuteOptions& options)
      : prepared_(std::move(prepared)), options_(options) {}

  /// Scans; at most once. With `sink` the partial has no rows. Errors: as scan::run.
  Result<state::Partial> scan(const RowSink& sink);
  /// scan() and finish() in one: the whole answer.
  Result<finish::FinishedTable> run();

  /// Any thread.
  void cancel() { cancel_.cancel(); }
  [[nodiscard]] wire::QueryProgress progress() const;
  /// Complete once everything has run. Any thread.
  [[nodiscard]] api::Statistics statistics() const;

  /// What only the consumer of rows knows. Any thread.
  void add_rows(uint64_t rows, double finish_seconds);

  [[nodiscard]] const Prepared& prepared() const { return *prepared_; }

 private:
  std::shared_ptr<const Prepared> prepared_;
  wire::ExecuteOptions options_;
  CancelToken cancel_;
  mutable std::mutex mutex_;
  wire::QueryProgress progress_;  ///< under mutex_
  api::Statistics statistics_;    ///< under mutex_; without the two below
  uint64_t result_rows_ = 0;      ///< under mutex_; rows may leave before the scan ends
  double finish_seconds_ = 0;     ///< under mutex_
};

}  // namespace grapnel::engine
