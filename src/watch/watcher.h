// A watch: the board in the kernel, the files, the statements; and the loop that brings them
// together.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "grapnel/watch.h"
#include "watch/board_reader.h"
#include "watch/cost.h"
#include "watch/file_scan.h"
#include "watch/reader_names.h"
#include "watch/standing_query.h"

namespace grapnel::watch {

/// Used by one thread.
class Watcher {
 public:
  /// Errors: see api::Watch::open.
  static Result<std::unique_ptr<Watcher>> open(const std::vector<std::string>& statements,
                                               const api::WatchOptions& options);

  /// See api::Watch::run. `cancelled` is asked some 100 times a second, and after each MiB.
  Status run(const std::atomic<bool>& cancelled, const std::function<void()>& on_tick);

  [[nodiscard]] api::WatchState state() const;
  /// See api::Watch::readers.
  [[nodiscard]] std::vector<api::WatchReader> readers(size_t statement);
  [[nodiscard]] const StandingQuery& query(size_t statement) const { return *queries_[statement]; }
  /// Kept once the watch has ended.
  Result<std::shared_ptr<const finish::FinishedTable>> answer(size_t statement);

 private:
  explicit Watcher(const api::WatchOptions& options) : options_(options) {}
  Status open_files();
  /// Computes what is there. True if there was something.
  bool work();
  bool take_marks();
  void rest(bool worked);
  /// When a page that was not there is to be looked at again; UINT64_MAX: none is.
  [[nodiscard]] uint64_t next_look_ns() const;
  /// What others wait for while there is work: done between its pieces, too.
  void attend();
  void look_after_files();
  void keep_slowdown();
  /// Told to end, whatever is covered: what is read from now on is not meant.
  [[nodiscard]] bool is_stopped() const;
  [[nodiscard]] bool is_over() const;
  void finish();

  const api::WatchOptions options_;
  std::vector<std::unique_ptr<StandingQuery>> queries_;
  std::optional<Board> board_;
  std::optional<ReaderNames> reader_names_;
  std::vector<std::unique_ptr<FileScan>> scans_;  ///< by the board's number; some are null
  std::vector<std::shared_ptr<const finish::FinishedTable>> answers_;
  const std::atomic<bool>* cancelled_ = nullptr;  ///< during run()
  std::function<void()> on_tick_;
  uint64_t begin_ns_ = 0;
  uint64_t end_ns_ = 0;  ///< 0: it has not ended
  double cpu_begin_ = 0;
  double cpu_end_ = 0;
  uint64_t last_work_ns_ = 0;
  uint64_t next_file_look_ns_ = 0;
  uint64_t next_lease_look_ns_ = 0;
  uint64_t next_unknown_ns_ = 0;
  uint64_t next_tick_ns_ = 0;
  // Of the slowdown, measured once in a while:
  uint64_t measured_ns_ = 0;
  BusiestCpu busiest_;
  double slowdown_ = 0;
  uint32_t left_out_ = 0;  ///< of 256 events
};

}  // namespace grapnel::watch
