// What it costs, per byte, to get at file bytes through each hook: built-in defaults at first, then
// what this process has seen. Never waits for a measurement.
#pragma once

#include <cstdint>
#include <string_view>

#include "hooks/hook.h"

namespace grapnel::hooks {

struct Rate {
  double wall_ns_per_byte = 0;
  double cpu_ns_per_byte = 0;
  bool measured = false;  ///< seen in this process, not a default
};

/// Rate of a hook for bytes of that residency. `unknown` and `mixed` are the middle of cached and
/// uncached. Thread-safe.
Rate rate(std::string_view hook, Residency residency);

/// Tells what a hook took for bytes of one residency (cached or uncached; others are ignored).
/// Small amounts are ignored too: they measure start-up. For hooks in user space `wall_seconds` and
/// `cpu_seconds` are those of getting at the bytes, without the op. Thread-safe.
void observe_rate(std::string_view hook, Residency residency, uint64_t bytes, double wall_seconds,
                  double cpu_seconds);

/// The cost of `bytes` at `rate`; device bytes are the uncached ones.
Cost cost_of(const Rate& rate, uint64_t bytes);

}  // namespace grapnel::hooks
