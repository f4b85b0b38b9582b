// What the user rules out: rules that bind before any price is looked at.
#pragma once

#include <cstdint>
#include <optional>

#include "hooks/hook.h"

namespace grapnel::choose {

struct UserLimits {
  bool no_kernel = false;  ///< --no-kernel: no program of ours enters the kernel
  bool polite = false;     ///< --polite: the page cache stays as it was found
  double max_cpus = 0;     ///< --max-cpu: CPUs that are busy with the query on average; 0: no limit
};

/// How much of the file is cached, as --polite must know it: not by samples.
enum class WholeFile : uint8_t { cached, not_cached, unknown };
WholeFile look_at_whole_file(const source::Source& source);

/// Whether the limits leave this hook for some of the file at all. Asks the kernel nothing.
hooks::Verdict allowed(const hooks::Hook& hook, const UserLimits& limits, WholeFile file);

/// Whether a hook may do an extent of which this share is cached (empty: unknown).
bool leaves_cache_alone(const hooks::Hook& hook, std::optional<double> cached_share);

/// Threads that a query gets, and the share of a CPU that each may use (1: no need to look).
struct ThreadLimit {
  unsigned threads = 1;
  double cpu_share = 1;
};
ThreadLimit limit_threads(unsigned threads, double max_cpus);

}  // namespace grapnel::choose
