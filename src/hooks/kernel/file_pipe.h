// A file's pages through a pipe to /dev/null, without a copy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "hooks/kernel/pipe_pair.h"
#include "source/source.h"

namespace grapnel::hooks::kernel {

/// Used by one thread.
class FilePipe {
 public:
  /// See PipePair::open. Errors: system.
  static Result<FilePipe> open(size_t wanted_bytes);

  [[nodiscard]] int read_end() const { return pipe_.read_end(); }

  /// Puts references to the file's pages from `offset` on into the empty pipe, at most `bytes` and
  /// what it can hold. Returns how many, at least 1. Errors: hook (the file system does not support
  /// splice), changed (the file ends there now), system.
  Result<size_t> fill(const source::Source& source, uint64_t offset, size_t bytes);
  /// Takes out the `bytes` bytes that are in it. After an error it may hold some of them.
  Status empty(size_t bytes);

 private:
  FilePipe(PipePair pipe, UniqueFd drain) : pipe_(std::move(pipe)), drain_(std::move(drain)) {}
  PipePair pipe_;
  UniqueFd drain_;  ///< /dev/null
};

}  // namespace grapnel::hooks::kernel
