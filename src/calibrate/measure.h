// The parts of a calibration. Each tells what it found to hooks/common/rates.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "calibrate/scratch.h"
#include "hooks/common/rates.h"

namespace grapnel::calibrate {

struct Measured {
  std::string hook;
  hooks::Calibrated value;
};

/// What is measured is collected first and told at once at the end: a calibration that failed
/// leaves nothing behind.
struct Findings {
  struct Op {
    std::string computer;
    uint64_t op_class;
    hooks::Calibrated ns_per_byte;
  };
  std::vector<Measured> access;
  std::vector<Op> ops;
  std::vector<Measured> setup;
  std::vector<Measured> extent;
  bool has_device = false;
  uint64_t device = 0;
  hooks::Calibrated device_ns_per_byte;
  double device_cpu_ns_per_byte = 0;
  hooks::QueueShape queue;  ///< the best
  std::vector<std::string> notes;
};

/// Bandwidth of the file's device by O_DIRECT reads through io_uring, for some block sizes and
/// depths, in turns; the hook `direct` will use the best. A device that refuses is a note. Errors:
/// limit (no memory).
Status measure_device(const ScratchFile& file, double budget_seconds, Findings& findings);

/// Access, ops, setting up and extents of every hook that may and can. Errors: those of preparing a
/// statement.
Status measure_hooks(const ScratchFile& text, const ScratchFile& fixed, double budget_seconds,
                     Findings& findings);

struct Link {
  hooks::Calibrated bytes_per_second;
  double rtt_seconds = 0;
};

/// The link to a server: round trip by connecting, bandwidth by what it sends. Errors: network,
/// usage.
Result<Link> measure_link(const std::string& address);

}  // namespace grapnel::calibrate
