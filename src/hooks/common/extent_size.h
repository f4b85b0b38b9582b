// How large the pieces are into which the scan cuts a file: the chooser and calibrations reckon
// with the same.
#pragma once

#include <cstdint>

namespace grapnel::hooks {

/// Files up to this size are one extent, done by the calling thread.
inline constexpr uint64_t kOneExtentBytes = 4 << 20;
/// Of large files.
inline constexpr uint64_t kLargestExtentBytes = 8 << 20;

}  // namespace grapnel::hooks
