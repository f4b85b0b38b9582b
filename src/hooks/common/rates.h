// What it costs, per byte, to get at file bytes through each hook, and to compute on them: built-in
// defaults at first, then what scans have taken here. Never waits for a measurement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/common/feeder.h"
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
/// a hook in the kernel. Until that was measured, as in the other computers where it was; then as
/// ops of its class were when calibrated, then as those of all classes; 1 where nothing is known. A
/// shape says nothing about another one: a slow LIKE must not make the program look slow that runs
/// a sum.
double op_factor(std::string_view computer, uint64_t shape, uint64_t op_class = 0);

/// Tells what bytes that were not cached took. A single measurement moves the rate by a third, and
/// never further than to a quarter or four times the default: a machine that was busy once must not
/// decide for good.
void observe_rate(std::string_view hook, uint64_t device, double wall_ns_per_byte,
                  double cpu_ns_per_byte);
/// Tells what an op took on what is cached. The first measurement of a shape counts in full, as ops
/// truly differ, but 16 times at most; the next ones by a third.
/// A calibration of `op_class` that is four times off is contradicted; see KnownRate.
void observe_op(std::string_view computer, uint64_t shape, double cpu_ns_per_byte,
                uint64_t op_class = 0);

/// What was measured, as text, to be kept for the next process.
std::string measured_rates();
/// Takes over such text; of what is known twice the newer one stays. What is malformed, or older
/// than a day (calibrated: kCalibrationDays), is left out.
void restore_rates(std::string_view text);

// What a calibration measures (src/calibrate): medians, with their spread. It counts in full, holds
// for kCalibrationDays, and stands behind what scans teach: an op's own shape before the class that
// it belongs to, the class before the default.

/// A median and half the distance between the quartiles, relative to it.
struct Calibrated {
  double value = 0;
  double spread = 0;
};

/// Getting at cached bytes through a hook in user space: CPU time per byte, without an op.
void calibrate_access(std::string_view hook, const Calibrated& ns_per_byte);
/// An op of this class (choose/learn.h) in a program or a hook in the kernel, per cached byte.
void calibrate_op(std::string_view computer, uint64_t op_class, const Calibrated& ns_per_byte);
/// Uncached bytes from a device, by the hook `direct`.
void calibrate_device(uint64_t device, const Calibrated& wall_ns_per_byte, double cpu_ns_per_byte);
/// Once per scan, and once per extent and thread.
void calibrate_setup(std::string_view hook, const Calibrated& seconds);
void calibrate_extent(std::string_view hook, const Calibrated& seconds);
/// How `direct` reads: blocks, and how many of them are in flight. The usual one until a device was
/// calibrated.
struct QueueShape {
  static constexpr uint32_t kMostBlockBytes = 1 << 20;
  static constexpr uint32_t kMostDepth = 32;
  /// A power of two.
  uint32_t block_bytes = kBlockBytes;
  /// Blocks are taken in file order, so what came back early waits and its place in the queue with
  /// it: half as many gave 0.75 instead of 0.83 GB/s with one thread on a virtual disk.
  uint32_t depth = kMostDepth;
  bool operator==(const QueueShape&) const = default;
};
/// The shape with which a device was fastest.
void calibrate_queue(uint64_t device, const QueueShape& shape);
QueueShape queue_shape(uint64_t device);
/// The way to a server, "HOST:PORT".
void calibrate_link(std::string_view address, const Calibrated& bytes_per_second,
                    double rtt_seconds);

struct KnownLink {
  double bytes_per_second = 0;
  double rtt_seconds = 0;
};
std::optional<KnownLink> known_link(std::string_view address);

/// What a scan through a hook costs once, whatever its size.
double setup_seconds(std::string_view hook);
/// What an extent costs beside its bytes.
double extent_seconds(std::string_view hook);

/// False for a hook or program whose cost is but a guess of 1 ns per byte until it was measured.
bool has_default(std::string_view what);

/// A row of what is known, for people.
struct KnownRate {
  std::string what;  ///< "read", "native", "setup pipe"
  std::string kind;  ///< "access", "op", "device", "setup", "extent", "queue", "link", "learnt op",
                     ///< "learnt device"
  uint64_t where = 0;  ///< the class or shape of the op, or the device
  double wall_ns = 0;  ///< per byte; "setup" and "extent": per scan and extent
  double cpu_ns = 0;
  double spread = 0;       ///< of calibrated ones
  int64_t at_seconds = 0;  ///< Unix time
  /// Calibrated, and three scans in a row were more than twice off; of ops more than four times.
  bool contradicted = false;
};
std::vector<KnownRate> known_rates();

inline constexpr int64_t kCalibrationDays = 30;

/// The cost of `bytes` at `rate`.
Cost cost_of(const Rate& rate, uint64_t bytes);

}  // namespace grapnel::hooks
