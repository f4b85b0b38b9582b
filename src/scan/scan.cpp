#include "scan/scan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "choose/learn.h"
#include "hooks/common/thread_clock.h"
#include "scan/extents.h"
#include "scan/file_watch.h"
#include "scan/pacer.h"
#include "scan/sequencer.h"
#include "scan/stitcher.h"
#include "scan/worker.h"

namespace grapnel::scan {
namespace {

// The calling thread looks this often for a cancelled query and for writers that wait for the
// lease.
constexpr auto kWatchInterval = std::chrono::milliseconds(10);
constexpr double kProgressSeconds = 0.1;

class Scan {
 public:
  Scan(const Plan& plan, const CancelToken& cancel, ExtentCutter cutter, unsigned threads)
      : plan_(plan),
        cutter_(cutter),
        threads_(threads),
        stop_(&cancel),
        user_cancel_(cancel),
        sequencer_(cutter.count(), threads),
        stitcher_(plan),
        watch_(*plan.job->source) {}

  Result<Outcome> run(const std::function<void(const Progress&)>& progress) {
    const double begin = hooks::wall_clock_seconds();
    if (plan_.refuse_writers) GRAPNEL_CHECK(watch_.refuse_writers());
    for (unsigned i = 0; i < threads_; i++)
      workers_.push_back(std::make_unique<Worker>(plan_, stop_));
    if (stitcher_.satisfied()) finish_early();  // LIMIT 0
    if (threads_ == 1 && cutter_.count() <= 1) {
      work(*workers_.front());
    } else {
      run_threads(progress, begin);
    }
    Outcome outcome{plan_.job->make_partial(), {}};
    GRAPNEL_CHECK(check_file(outcome.statistics));
    GRAPNEL_CHECK(collect(outcome));
    outcome.statistics.wall_seconds = hooks::wall_clock_seconds() - begin;
    // The time of a scan that rests on purpose is not what its device takes.
    if (plan_.cpu_share >= 1) {
      choose::learn(*plan_.job, *plan_.program, outcome.statistics.hooks,
                    outcome.statistics.wall_seconds, threads_);
    }
    return outcome;
  }

 private:
  void run_threads(const std::function<void(const Progress&)>& progress, double begin) {
    std::vector<std::thread> threads;
    running_ = threads_;
    for (unsigned i = 0; i < threads_; i++) {
      try {
        threads.emplace_back([this, i] {
          work(*workers_[i]);
          const std::lock_guard lock(running_mutex_);
          running_--;
          all_done_.notify_one();
        });
      } catch (const std::system_error&) {
        // Out of threads: those there are do the work; without any, this one does.
        const std::lock_guard lock(running_mutex_);
        running_ -= threads_ - i;
        break;
      }
    }
    if (threads.empty()) work(*workers_.front());
    watch_over(progress, begin);
    for (std::thread& thread : threads) thread.join();
  }

  void watch_over(const std::function<void(const Progress&)>& progress, double begin) {
    double next_report = begin + kProgressSeconds;
    std::unique_lock lock(running_mutex_);
    while (!all_done_.wait_for(lock, kWatchInterval, [&] { return running_ == 0; })) {
      lock.unlock();
      watch_.poll();
      if (user_cancel_.cancelled()) sequencer_.stop();
      const double now = hooks::wall_clock_seconds();
      if (progress && now >= next_report) {
        report(progress, now - begin);
        next_report = now + kProgressSeconds;
      }
      lock.lock();
    }
  }

  void report(const std::function<void(const Progress&)>& progress, double seconds) {
    Progress state;
    state.bytes_done = bytes_done_.load(std::memory_order_relaxed);
    state.bytes_total = cutter_.total_bytes();
    state.seconds = seconds;
    if (const hooks::Hook* hook = hook_in_use_.load(std::memory_order_relaxed)) {
      state.hook = hook->name();
    }
    progress(state);
  }

  void work(Worker& worker) {
    try {
      Pacer pacer(plan_.cpu_share);
      std::optional<uint32_t> number = sequencer_.claim();
      while (number) {
        std::optional<uint32_t> ahead;
        if (worker.reads_ahead()) ahead = sequencer_.claim_ahead();
        std::optional<hooks::Extent> next;
        if (ahead) next = cutter_.at(*ahead);
        Driven driven = worker.drive(cutter_.at(*number), next);
        hook_in_use_.store(driven.hook, std::memory_order_relaxed);
        bytes_done_ += driven.extent.end - driven.extent.begin;
        sequencer_.put(std::move(driven));
        take_what_is_next(worker);
        number = ahead ? ahead : sequencer_.claim();
        if (number) pacer.rest(stop_);
      }
      worker.close();
    } catch (const std::bad_alloc&) {
      Error error;
      error.kind = ErrorKind::limit;
      error.message = "out of memory";
      error.hint =
          "fewer groups or rows need less; see also ulimit -v and the cgroup's memory limit";
      fail(std::move(error));
    }
  }

  void take_what_is_next(Worker& worker) {
    const auto redo = [&worker](const hooks::Extent& extent) {
      return worker.drive(extent, std::nullopt);
    };
    while (std::optional<Driven> driven = sequencer_.take_next()) {
      std::optional<state::Partial> proven;
      Status status = stitcher_.take(std::move(*driven), redo, proven);
      if (status.ok() && stitcher_.satisfied()) {
        finish_early();
      }
      if (!status.ok()) {
        fail(std::move(status).error());
        return;
      }
      sequencer_.next_done();
      // Outside the turn, so that workers merge side by side.
      if (proven) {
        if (Status merged = worker.merge(std::move(*proven)); !merged.ok()) {
          fail(std::move(merged).error());
          return;
        }
      }
    }
  }

  void finish_early() {
    satisfied_ = true;
    stop_.cancel();
    sequencer_.stop();
  }

  void fail(Error error) {
    {
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::move(error);
    }
    stop_.cancel();
    sequencer_.stop();
  }

  // Bad data, and data that is missing, may be due to a change of the file: that is then the better
  // message. Otherwise what went wrong comes first.
  Status check_file(Statistics& statistics) {
    if (user_cancel_.cancelled() && !satisfied_) return hooks_cancelled();
    Status unchanged = watch_.check(plan_.error_if_grown, statistics.warnings);
    statistics.stability = to_string(watch_.stability());
    if (satisfied_) error_.reset();
    if (!error_) return unchanged;
    if (!unchanged.ok() && error_->kind == ErrorKind::data) return unchanged;
    return std::move(*error_);
  }

  static Error hooks_cancelled() {
    Error error;
    error.kind = ErrorKind::cancelled;
    error.message = "the query was cancelled";
    return error;
  }

  Status collect(Outcome& outcome) {
    outcome.partial = std::move(stitcher_.result());
    Statistics& statistics = outcome.statistics;
    statistics.hooks = stitcher_.hook_counters;
    statistics.stitched = stitcher_.stitched;
    for (const auto& worker : workers_) {
      for (const auto& [name, counters] : worker->failures) statistics.hooks[name].add(counters);
      // The smaller into the larger. Rows, which have an order, are all with the stitcher.
      if (worker->share.groups.size() > outcome.partial.groups.size() &&
          outcome.partial.rows.size() == 0) {
        std::swap(outcome.partial, worker->share);
      }
      GRAPNEL_CHECK(outcome.partial.merge(std::move(worker->share)));
    }
    statistics.file_bytes = plan_.job->source->data_end;
    statistics.threads = threads_;
    return ok_status();
  }

  const Plan& plan_;
  const ExtentCutter cutter_;
  const unsigned threads_;
  CancelToken stop_;
  const CancelToken& user_cancel_;
  Sequencer sequencer_;
  Stitcher stitcher_;
  FileWatch watch_;
  std::vector<std::unique_ptr<Worker>> workers_;

  std::atomic<uint64_t> bytes_done_{0};
  std::atomic<const hooks::Hook*> hook_in_use_{nullptr};
  std::atomic<bool> satisfied_{false};

  std::mutex error_mutex_;
  std::optional<Error> error_;

  std::mutex running_mutex_;
  std::condition_variable all_done_;
  unsigned running_ = 0;
};

}  // namespace

Result<Outcome> run(const Plan& plan, const CancelToken& cancel,
                    const std::function<void(const Progress&)>& progress) {
  GRAPNEL_TRY(const ExtentCutter cutter,
              ExtentCutter::make(*plan.job->source, plan.extent_bytes, !plan.job->op->aggregating));
  const unsigned wanted = std::clamp<unsigned>(plan.threads, 1, limits::kThreads);
  const unsigned threads = std::clamp<unsigned>(cutter.count(), 1, wanted);
  Scan scan(plan, cancel, cutter, threads);
  return scan.run(progress);
}

}  // namespace grapnel::scan
