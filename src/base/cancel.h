// A flag that any thread may set and every long loop looks at.
#pragma once

#include <atomic>

namespace grapnel {

/// Thread-safe and async-signal-safe to set. Loops look at it at least every 10 ms of work.
class CancelToken {
 public:
  CancelToken() = default;
  /// Cancelled as soon as `parent` is, or by itself. `parent` must outlive it.
  explicit CancelToken(const CancelToken* parent) : parent_(parent) {}

  void cancel() { flag_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const {
    return flag_.load(std::memory_order_relaxed) || (parent_ != nullptr && parent_->cancelled());
  }

 private:
  std::atomic<bool> flag_{false};
  const CancelToken* parent_ = nullptr;
};

}  // namespace grapnel
