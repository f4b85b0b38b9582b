// Holds a worker back to its share of a CPU, by rests between extents.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/cancel.h"
#include "hooks/common/thread_clock.h"

namespace grapnel::scan {

/// Made and used by the worker's thread.
class Pacer {
 public:
  /// `cpu_share` of one CPU, on average since now; 1 or more: never rests.
  explicit Pacer(double cpu_share) : cpu_share_(cpu_share) {}

  /// Sleeps until what the thread has used is its share of the time that went by. Ends early when
  /// `cancel` is set.
  void rest(const CancelToken& cancel) const {
    if (cpu_share_ >= 1) return;
    const double used = hooks::thread_cpu_seconds() - cpu_begin_;
    const double until = wall_begin_ + used / cpu_share_;
    while (!cancel.cancelled()) {
      const double left = until - hooks::wall_clock_seconds();
      if (left <= 0) return;
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, kNapSeconds)));
    }
  }

 private:
  static constexpr double kNapSeconds = 0.01;
  double cpu_share_;
  double cpu_begin_ = hooks::thread_cpu_seconds();
  double wall_begin_ = hooks::wall_clock_seconds();
};

}  // namespace grapnel::scan
