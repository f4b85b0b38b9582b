// The system calls that syscall.bpf.c knows and a session can read with.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "source/source.h"

namespace grapnel::hooks::syscalls {

struct ReadCall {
  std::string_view name;  ///< for base::pretend_absent, too
  bool has_offset;        ///< else it reads at the descriptor's position
  bool is_vectored;
};

/// pread64, preadv2, read, readv: the first one that is not taken as absent. An offset that is an
/// argument is nobody else's, and needs no second call. nullptr: all of them are.
const ReadCall* preferred_call();

/// Reads a file by one of the calls. Used by one thread.
class CallReader {
 public:
  /// Calls without an offset get a descriptor of their own: the position of another one may be
  /// shared. Errors: system.
  static Result<CallReader> open(const ReadCall& call, const source::Source& source);

  /// As pread(2). Vectored calls get the memory in two pieces.
  [[nodiscard]] ssize_t read(char* to, size_t bytes, uint64_t offset) const;

 private:
  CallReader(const ReadCall& call, int file) : call_(&call), file_(file) {}

  const ReadCall* call_;
  int file_;
  UniqueFd own_;
};

}  // namespace grapnel::hooks::syscalls
