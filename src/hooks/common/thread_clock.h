// What the calling thread has used so far.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <cstdint>

namespace grapnel::hooks {

inline double clock_seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline double thread_cpu_seconds() { return clock_seconds(CLOCK_THREAD_CPUTIME_ID); }
inline double wall_clock_seconds() { return clock_seconds(CLOCK_MONOTONIC); }

/// Bytes that block devices read on behalf of this thread: its page cache misses and readahead.
inline uint64_t thread_device_bytes() {
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return 0;
  return static_cast<uint64_t>(usage.ru_inblock) * 512;
}

}  // namespace grapnel::hooks
