// Which bytes of an extent have been computed, and which are left.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "hooks/hook.h"

namespace grapnel::hooks::block {

/// Bytes [begin, end) of the file.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// Puts `cores` (whole records that were computed at the device, in any order) in file order and
/// drops empty ones. The result are the gaps: before the first, between two and behind the last,
/// so one more than cores; a gap may be empty. ErrorKind::hook if two cores overlap (a page was
/// read twice: its records were counted twice) or one leaves the extent.
Result<std::vector<Span>> find_gaps(const Extent& extent, std::vector<Span>& cores);

}  // namespace grapnel::hooks::block
