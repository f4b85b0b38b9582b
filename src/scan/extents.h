// Cuts the data of a file into extents, by arithmetic: nothing is kept per extent, so that a file
// of many terabytes costs no more memory than a small one.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "hooks/hook.h"
#include "source/source.h"

namespace grapnel::scan {

class ExtentCutter {
 public:
  /// `extent_bytes` 0: chosen from the size alone (hooks/common/extent_size.h; not from the number
  /// of threads, so that what a query meets first does not depend on it). `rows`: the query gives
  /// rows; extents are smaller then, since each holds its rows until they are in turn.
  /// ErrorKind::limit for more than 2^32 extents.
  static Result<ExtentCutter> make(const source::Source& source, uint64_t extent_bytes, bool rows);

  [[nodiscard]] uint32_t count() const { return count_; }
  [[nodiscard]] uint64_t total_bytes() const { return end_ - begin_; }
  /// Precondition: number < count().
  [[nodiscard]] hooks::Extent at(uint32_t number) const;

 private:
  ExtentCutter() = default;
  [[nodiscard]] uint64_t boundary(uint64_t number) const;

  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  uint64_t step_ = 1;
  uint64_t origin_ = 0;  ///< boundaries are at origin_ + n * step_
  bool record_aligned_ = false;
  uint32_t count_ = 0;
};

/// True if a hook that drives the extent must guess whether it begins inside quotes. What goes
/// wrong then may be due to the guess: the extent is driven again from a known record start.
bool is_guess(const hooks::Extent& extent, const source::Layout& layout);

}  // namespace grapnel::scan
