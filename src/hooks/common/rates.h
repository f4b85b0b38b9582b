// What it costs, per byte, to get at file bytes through each hook, and to compute on them: built-in
// defaults at first, then what scans have taken here. Never waits for a measurement.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hooks/hook.h"

namespace grapnel::hooks {

struct Rate {
  double wall_ns_per_byte = 0;
  double cpu_ns_per_byte = 0;
  bool measured = false;  ///< seen here, not a default
};

/// Rate of a hook for bytes of that residency; `device` (source::FileIdentity) is where uncached
/// bytes come from. `unknown` and `mixed` are the middle of cached and uncached. Of hooks in user
/// space without the op, of hooks in the kernel with a usual one. Thread-safe, as all functions
/// here.
Rate rate(std::string_view hook, Residency residency, uint64_t device);

/// Rate of the user-space program ("native avx512", "interpreter") with a usual op.
Rate program_rate(std::string_view program);

/// How much more than a usual op the op of this shape costs in `computer`: a user-space program or
/// a hook in the kernel. Until that was measured, as in the other computers where it was; 1 where
/// nothing is known. A shape says nothing about another one: a slow LIKE must not make the
/// program look slow that runs a sum.
double op_factor(std::string_view computer, uint64_t shape);

/// Tells what bytes that were not cached took. A single measurement moves the rate by a third, and
/// never further than to a quarter or four times the default: a machine that was busy once must not
/// decide for good.
void observe_rate(std::string_view hook, uint64_t device, double wall_ns_per_byte,
                  double cpu_ns_per_byte);
/// Tells what an op took on what is cached. The first measurement of a shape counts in full, as ops
/// truly differ, but 16 times at most; the next ones by a third.
void observe_op(std::string_view computer, uint64_t shape, double cpu_ns_per_byte);

/// What was measured, as text, to be kept for the next process.
std::string measured_rates();
/// Takes over such text. What is malformed, or older than a day, is left out.
void restore_rates(std::string_view text);

/// The cost of `bytes` at `rate`.
Cost cost_of(const Rate& rate, uint64_t bytes);

}  // namespace grapnel::hooks
