// What hooks in the kernel cost those who have nothing to do with them: `doctor --tax`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace grapnel::hooks::tax {

/// Beyond what the same takes without the hook. Noise can make it negative, and says how much of it
/// there is.
struct Tax {
  std::string hook;
  std::string place;   ///< where its programs sit; empty: where nobody else passes
  std::string reason;  ///< why nothing was measured; empty if it was
  double call_ns = 0;  ///< the shortest system call
  double read_ns = 0;  ///< pread() of 4 KiB that are cached
  /// A request of a block device, of those that came by meanwhile; empty: none did, or its programs
  /// do not sit there.
  std::optional<double> request_ns;
};

struct Taxes {
  double call_ns = 0;  ///< without any hook
  double read_ns = 0;
  std::vector<Tax> hooks;  ///< all that run in the kernel
};

/// Attaches, in turns, what each hook does for bytes that are not its own, and calls the kernel in
/// between; detaches it again. Takes about a second. Errors: system (this program cannot be read).
Result<Taxes> measure_taxes();

}  // namespace grapnel::hooks::tax
