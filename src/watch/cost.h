// What the programs have cost the processes they ran in, from what each CPU has counted.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "watch/board.h"

namespace grapnel::watch {

using CpuCounts =
    std::span<const gr_watch_cpu, GR_WATCH_CPUS>;  ///< written by the kernel meanwhile

/// Timed by samples.
struct Cost {
  uint64_t events = 0;  ///< of watched files
  double seconds = 0;
  double longest_seconds = 0;

  /// Since the watch began, all CPUs together.
  static Cost of(CpuCounts cpus);
};

/// What the programs take of the CPU that they take most of, look by look: readers change CPUs, so
/// it is another one each time. Used by one thread.
class BusiestCpu {
 public:
  /// CPU seconds since the last call, or since the watch began.
  double take_seconds(CpuCounts cpus);

 private:
  struct Seen {
    uint64_t events = 0;
    uint64_t timed_events = 0;
    uint64_t timed_ns = 0;
  };
  std::array<Seen, GR_WATCH_CPUS> before_{};
};

}  // namespace grapnel::watch
