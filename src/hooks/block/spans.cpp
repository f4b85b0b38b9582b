#include "hooks/block/spans.h"

#include <algorithm>

namespace grapnel::hooks::block {

Result<std::vector<Span>> find_gaps(const Extent& extent, std::vector<Span>& cores) {
  std::erase_if(cores, [](const Span& core) { return core.begin == core.end; });
  std::sort(cores.begin(), cores.end(),
            [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<Span> gaps;
  uint64_t at = extent.begin;
  for (const Span& core : cores) {
    if (core.begin < at || core.end < core.begin || core.end > extent.end) {
      return Error{ErrorKind::hook,
                   "the block hook cannot do this part of the file: a piece of it was read from "
                   "the device twice",
                   "run the query again when there is more memory for the page cache"};
    }
    gaps.push_back({at, core.begin});
    at = core.end;
  }
  gaps.push_back({at, extent.end});
  return gaps;
}

}  // namespace grapnel::hooks::block
