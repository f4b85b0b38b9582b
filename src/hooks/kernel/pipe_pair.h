// A pipe of this process.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "base/unique_fd.h"

namespace grapnel::hooks::kernel {

/// Empty when made. Both ends are closed on exec.
class PipePair {
 public:
  /// Makes it hold `wanted_bytes`, or as much as this user may have (/proc/sys/fs/pipe-max-size,
  /// user limits), at least what the kernel gives to a new pipe. Errors: system.
  static Result<PipePair> open(size_t wanted_bytes);

  [[nodiscard]] int read_end() const { return read_end_.get(); }
  [[nodiscard]] int write_end() const { return write_end_.get(); }
  [[nodiscard]] size_t capacity_bytes() const { return capacity_bytes_; }

 private:
  UniqueFd read_end_;
  UniqueFd write_end_;
  size_t capacity_bytes_ = 0;
};

}  // namespace grapnel::hooks::kernel
