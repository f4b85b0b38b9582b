// Row queries without ORDER BY: a thread scans and puts rows, in file order, into a bounded queue;
// next() takes them out, computes the output columns and builds batches.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

#include "engine/arrow_export.h"
#include "engine/guard.h"
#include "engine/local_query.h"
#include "engine/scan_run.h"
#include "engine/stopwatch.h"

namespace grapnel::engine {
namespace {

/// What may wait for a slow taker.
constexpr size_t kQueueBytes = 64 << 20;

/// Between the scan (one producer) and next() (one consumer).
class RowQueue {
 public:
  /// Waits for room. False once the consumer has closed the queue.
  bool push(state::RowBatch&& rows) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || bytes_ < kQueueBytes; });
    if (closed_) return false;
    bytes_ += rows.memory_bytes();
    batches_.push_back(std::move(rows));
    changed_.notify_all();
    return true;
  }
  /// The producer is done, well or not.
  void end(Status status) {
    const std::lock_guard lock(mutex_);
    end_ = std::move(status);
    changed_.notify_all();
  }
  /// Waits for rows. Empty at the end; the producer's error if it had one.
  Result<std::optional<state::RowBatch>> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return end_ || !batches_.empty(); });
    // An error makes void what came before it: rows still here need not leave any more.
    if (end_ && !end_->ok()) return end_->error();
    if (batches_.empty()) return std::optional<state::RowBatch>{};
    std::optional<state::RowBatch> rows(std::move(batches_.front()));
    batches_.pop_front();
    bytes_ -= std::min(bytes_, rows->memory_bytes());
    changed_.notify_all();
    return rows;
  }
  /// True if pop() would wait.
  bool must_wait() {
    const std::lock_guard lock(mutex_);
    return batches_.empty() && !end_;
  }
  /// The consumer wants no more.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<state::RowBatch> batches_;
  size_t bytes_ = 0;
  bool closed_ = false;
  std::optional<Status> end_;
};

class StreamingQuery : public wire::RunningQuery {
 public:
  StreamingQuery(const std::shared_ptr<const Prepared>& prepared,
                 const wire::ExecuteOptions& options)
      : run_(prepared, options),
        query_(prepared->query),
        builder_(prepared->query.schema),
        skip_(query_.finish.offset),
        left_(query_.finish.limit) {
    // OFFSET and LIMIT count over all batches; finish() sees one at a time.
    query_.finish.offset = 0;
    query_.finish.limit.reset();
  }
  ~StreamingQuery() override {
    stop();
    if (thread_.joinable()) thread_.join();
  }
  StreamingQuery(const StreamingQuery&) = delete;
  StreamingQuery& operator=(const StreamingQuery&) = delete;

  Status schema(ArrowSchema* out) override {
    export_schema(query_.schema, out);
    return ok_status();
  }

  Result<bool> next(ArrowArray* out) override {
    return guarded([&] { return next_batch(out); });
  }

  void cancel() override { stop(); }
  wire::QueryProgress progress() const override { return run_.progress(); }
  std::string statistics_json() const override { return run_.statistics().to_json(); }

 private:
  void stop() {
    run_.cancel();
    queue_.close();
  }

  Result<bool> next_batch(ArrowArray* out) {
    if (!thread_.joinable()) thread_ = std::thread([this] { produce(); });
    while (!builder_.full()) {
      if (row_ >= table_.row_count) {
        GRAPNEL_TRY(const bool more, take_table());
        if (!more) break;
        continue;
      }
      GRAPNEL_TRY(row_, builder_.append_rows(table_, row_));
      // Rows are rare: who looks at the first ones should not wait for a whole batch of them.
      if (row_ == table_.row_count && queue_.must_wait()) break;
    }
    if (builder_.rows() == 0) return false;
    run_.add_rows(builder_.rows(), 0);
    builder_.export_batch(out);
    return true;
  }

  void produce() {
    queue_.end(guarded([&]() -> Status {
      auto partial = run_.scan([this](state::RowBatch&& rows) -> Status {
        if (queue_.push(std::move(rows))) return ok_status();
        return Error{ErrorKind::cancelled, "the query was cancelled", {}, 0, std::nullopt};
      });
      if (!partial.ok()) return partial.error();
      return ok_status();
    }));
  }

  /// Output columns of the next rows into table_; false at the end.
  Result<bool> take_table() {
    GRAPNEL_TRY(auto rows, queue_.pop());
    if (!rows) return false;
    const Stopwatch finishing;
    auto partial = run_.prepared().job->make_partial();
    partial.rows = std::move(*rows);
    GRAPNEL_TRY(table_, finish::finish(query_, std::move(partial)));
    run_.add_rows(0, finishing.seconds());
    row_ = static_cast<size_t>(std::min<uint64_t>(skip_, table_.row_count));
    skip_ -= row_;
    if (left_) {
      table_.row_count = static_cast<size_t>(std::min<uint64_t>(table_.row_count, row_ + *left_));
      *left_ -= table_.row_count - row_;
    }
    return true;
  }

  ScanRun run_;
  op::Query query_;
  RowQueue queue_;
  BatchBuilder builder_;
  finish::FinishedTable table_;
  size_t row_ = 0;                ///< next row of table_
  uint64_t skip_;                 ///< rows of OFFSET still to come
  std::optional<uint64_t> left_;  ///< rows of LIMIT still to come
  std::thread thread_;
};

}  // namespace

std::unique_ptr<wire::RunningQuery> make_streaming_query(
    const std::shared_ptr<const Prepared>& prepared, const wire::ExecuteOptions& options) {
  return std::make_unique<StreamingQuery>(prepared, options);
}

}  // namespace grapnel::engine
