// Looks after a query while a call of the API may block: forwards the caller's cancel token to it,
// and its progress to the caller.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "grapnel/grapnel.h"
#include "wire/executor.h"

namespace grapnel::api {

/// One thread for all calls of a query: it begins with the first call that is watched, and sleeps
/// between calls. Calls come one at a time.
class Watcher {
 public:
  /// `query` and `token` (may be null) outlive the watcher. Without token and progress function
  /// there is nothing to watch and no thread.
  Watcher(wire::RunningQuery& query, const CancelToken* token, ProgressFunction progress);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  /// Watches as long as it lives. The progress function is not called after that.
  class Call {
   public:
    explicit Call(Watcher& watcher) : watcher_(watcher) { watcher_.begin(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() { watcher_.end(); }

   private:
    Watcher& watcher_;
  };

 private:
  void begin();
  void end();
  void run();
  void look();

  wire::RunningQuery& query_;
  const CancelToken* const token_;
  const ProgressFunction progress_;
  std::mutex mutex_;  ///< of all below; held while the progress function runs
  std::condition_variable wake_;
  bool watching_ = false;
  bool asleep_ = false;  ///< until it is woken, not for one interval
  bool ended_ = false;
  bool cancelled_ = false;  ///< the query was told
  std::chrono::steady_clock::time_point next_progress_;
  std::thread thread_;
};

}  // namespace grapnel::api
