// What the running kernel answers for each known attach point, by asking and trying.
#pragma once

#include <string>
#include <vector>

#include "hooks/probe/attempts.h"
#include "hooks/probe/known_points.h"

namespace grapnel::hooks::probe {

/// One way to use a point: "fentry", "kprobe", "tp_btf", "raw_tp"; "use" for what is not attached.
struct Way {
  std::string name;
  Answer answer;
};

struct Finding {
  const KnownPoint* point = nullptr;
  std::string types;   ///< in the kernel's BTF: "yes", "no", "unknown"; empty: does not apply
  std::string symbol;  ///< see KernelNames::symbol; empty: does not apply
  std::vector<Way> ways;
};

/// All of known_points(), in that order. Takes 0.2 to a few seconds, since each detaching waits
/// until no CPU runs the program any more. Works without rights, and then says which ones are
/// missing. Features that GRAPNEL_PRETEND_ABSENT lists are not tried: names of points and of ways.
std::vector<Finding> probe_known_points();

}  // namespace grapnel::hooks::probe
