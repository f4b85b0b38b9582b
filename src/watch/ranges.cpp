#include "watch/ranges.h"

#include <algorithm>
#include <iterator>

namespace grapnel::watch {

void RangeSet::add(Range range) {
  if (range.begin >= range.end) return;
  auto at = ends_.upper_bound(range.begin);
  if (at != ends_.begin() && std::prev(at)->second >= range.begin) --at;
  while (at != ends_.end() && at->first <= range.end) {
    range.begin = std::min(range.begin, at->first);
    range.end = std::max(range.end, at->second);
    length_ -= at->second - at->first;
    at = ends_.erase(at);
  }
  ends_.emplace_hint(at, range.begin, range.end);
  length_ += range.end - range.begin;
}

void RangeSet::remove(Range range) {
  if (range.begin >= range.end) return;
  auto at = ends_.upper_bound(range.begin);
  if (at != ends_.begin() && std::prev(at)->second > range.begin) --at;
  while (at != ends_.end() && at->first < range.end) {
    const Range old{at->first, at->second};
    length_ -= old.end - old.begin;
    at = ends_.erase(at);
    for (const Range rest : {Range{old.begin, range.begin}, Range{range.end, old.end}}) {
      if (rest.begin >= rest.end) continue;
      ends_.emplace(rest.begin, rest.end);
      length_ += rest.end - rest.begin;
    }
  }
}

std::vector<Range> RangeSet::list() const {
  std::vector<Range> ranges;
  ranges.reserve(ends_.size());
  for (const auto& [begin, end] : ends_) ranges.push_back({begin, end});
  return ranges;
}

}  // namespace grapnel::watch
