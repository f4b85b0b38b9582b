// A file opened a second time, around the page cache.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"
#include "source/source.h"

namespace grapnel::hooks {

struct DirectFile {
  UniqueFd file;
  uint32_t offset_alignment = 4096;  ///< of file offsets and lengths, a power of two
  uint32_t memory_alignment = 4096;

  /// Opens `source`'s own descriptor again (/proc/self/fd), so a path that has been replaced
  /// meanwhile plays no role. ErrorKind::hook if the file cannot be read around the page cache; the
  /// message says why. Reads nothing.
  static Result<DirectFile> open(const source::Source& source);
};

/// Blocks are read at multiples of this, which no alignment may exceed.
inline constexpr uint32_t kLargestAlignment = 64 << 10;

}  // namespace grapnel::hooks
