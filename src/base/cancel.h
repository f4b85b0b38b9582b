// A flag that any thread may set and every long loop looks at.
#pragma once

#include <atomic>

namespace grapnel {

/// Thread-safe and async-signal-safe to set. Loops look at it at least every 10 ms of work.
class CancelToken {
 public:
  void cancel() { flag_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const { return flag_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> flag_{false};
};

}  // namespace grapnel
