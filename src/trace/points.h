// The places in the kernel that a trace looks from, best first. A new kernel costs one more row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "trace/layout.h"

namespace grapnel::trace {

/// Programs of trace.bpf.c that together show one thing.
struct Place {
  std::vector<std::string_view> programs;
  /// Where they sit, in the same order: "raw_tp/sys_enter".
  std::vector<std::string_view> sections;
};

/// Something to be seen, and the places that show it: the first that this kernel gives is taken.
struct Sight {
  std::string_view what;
  std::vector<gr_layer> layers;  ///< that need it, or are better with it
  bool required;                 ///< these layers are worth nothing without it
  std::vector<Place> places;
};

const std::vector<Sight>& all_sights();

struct Choice {
  const Sight* sight;
  const Place* place;  ///< nullptr: this kernel has none
  std::string why;     ///< not
};

/// Looks, by trying, which places there are for these layers. Nothing stays attached. Errors:
/// permission (names the right), hook (a layer that was asked for cannot be seen here).
Result<std::vector<Choice>> choose_places(const std::vector<gr_layer>& layers);

}  // namespace grapnel::trace
