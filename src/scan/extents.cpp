#include "scan/extents.h"

#include <algorithm>
#include <limits>

#include "base/limits.h"
#include "hooks/common/extent_size.h"

namespace grapnel::scan {
namespace {

constexpr uint64_t kGrain = 256 << 10;  ///< blocks of the hooks end at multiples of this
constexpr uint64_t kLargestRowExtent = 2 << 20;
constexpr uint64_t kSmallestExtent = 1 << 20;
constexpr uint64_t kWantedExtents = 32;

uint64_t choose_step(uint64_t total, bool rows) {
  if (total <= hooks::kOneExtentBytes) return std::max<uint64_t>(total, 1);
  const uint64_t largest = rows ? kLargestRowExtent : hooks::kLargestExtentBytes;
  const uint64_t wanted = (total / kWantedExtents + kGrain - 1) / kGrain * kGrain;
  return std::clamp(wanted, kSmallestExtent, largest);
}

}  // namespace

Result<ExtentCutter> ExtentCutter::make(const source::Source& source, uint64_t extent_bytes,
                                        bool rows) {
  ExtentCutter cutter;
  cutter.begin_ = source.data_begin;
  cutter.end_ = std::max(source.data_begin, source.data_end);
  const uint64_t total = cutter.total_bytes();
  const bool chosen_here = extent_bytes == 0;
  uint64_t step = chosen_here ? choose_step(total, rows) : extent_bytes;
  // A record that spans extents is put together in memory; so is what a wrong guess leaves.
  step = std::min<uint64_t>(step, limits::kRecordBytes);
  if (source.layout.format == source::Format::fixed) {
    const uint64_t record = std::max<uint64_t>(source.layout.record_bytes, 1);
    cutter.record_aligned_ = true;
    cutter.origin_ = cutter.begin_;
    step = std::max(record, step / record * record);
  } else if (chosen_here && total > hooks::kOneExtentBytes) {
    cutter.origin_ = cutter.begin_ / kGrain * kGrain;
  } else {
    cutter.origin_ = cutter.begin_;
  }
  cutter.step_ = step;
  const uint64_t count = total == 0 ? 0 : (cutter.end_ - cutter.origin_ + step - 1) / step;
  if (count > std::numeric_limits<uint32_t>::max()) {
    Error error;
    error.kind = ErrorKind::limit;
    error.message = source.path + " has " + std::to_string(total) + " bytes, more than " +
                    std::to_string(std::numeric_limits<uint32_t>::max()) + " extents of " +
                    std::to_string(step);
    return error;
  }
  cutter.count_ = static_cast<uint32_t>(count);
  return cutter;
}

uint64_t ExtentCutter::boundary(uint64_t number) const {
  return std::clamp(origin_ + number * step_, begin_, end_);
}

hooks::Extent ExtentCutter::at(uint32_t number) const {
  hooks::Extent extent;
  extent.begin = boundary(number);
  extent.end = boundary(uint64_t{number} + 1);
  extent.number = number;
  extent.first = number == 0 || record_aligned_;
  extent.last = number + 1 == count_;
  return extent;
}

bool is_guess(const hooks::Extent& extent, const source::Layout& layout) {
  return !extent.first && layout.format == source::Format::csv && layout.dialect.quote != '\0';
}

}  // namespace grapnel::scan
