// What hooks cost for one job, in one figure per byte, so that they can be compared.
#pragma once

#include <cstdint>

#include "hooks/hook.h"
#include "program/program.h"

namespace grapnel::choose {

struct PriceContext {
  const program::Job& job;
  uint64_t op_shape = 0;           ///< of learn.h
  uint64_t op_class = 0;           ///< of learn.h
  double program_ns_per_byte = 0;  ///< of the user-space program, with this op
  double threads = 1;
  double selectivity = 1;
};

/// Effective wall time per byte with all threads, setting up included.
struct Price {
  double cached_ns = 0;
  double uncached_ns = 0;
  // The same as a clock would show it while the scan runs: without setting up.
  double scan_cached_ns = 0;
  double scan_uncached_ns = 0;

  /// For bytes of which this share is cached.
  [[nodiscard]] double at(double cached_share) const {
    return cached_share * cached_ns + (1 - cached_share) * uncached_ns;
  }
};

/// All that is predicted of one hook for one file, setting up included.
struct HookPrice {
  Price price;
  hooks::Cost now;  ///< as much of the file being cached as is now
  hooks::Cost if_cached;
  hooks::Cost if_uncached;
};

HookPrice price_hook(const hooks::Hook& hook, const PriceContext& context, double cached_share);

}  // namespace grapnel::choose
