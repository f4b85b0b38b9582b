// Sets of half-open ranges [begin, end), of bytes or of pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace grapnel::watch {

struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

/// Ranges that neither overlap nor touch. Not thread-safe.
class RangeSet {
 public:
  void add(Range range);
  void remove(Range range);
  [[nodiscard]] bool empty() const { return ends_.empty(); }
  [[nodiscard]] size_t size() const { return ends_.size(); }
  /// Of all ranges together.
  [[nodiscard]] uint64_t length() const { return length_; }
  [[nodiscard]] std::vector<Range> list() const;

 private:
  std::map<uint64_t, uint64_t> ends_;  ///< by begin
  uint64_t length_ = 0;
};

}  // namespace grapnel::watch
