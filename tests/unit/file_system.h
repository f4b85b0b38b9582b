// What the file system below a test's directory cannot do: proof for a test that leaves itself out.
#pragma once

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/unique_fd.h"

namespace grapnel::testing_help {

/// False if it refuses O_DIRECT for this file.
inline bool has_direct_io(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC)).valid() || errno != EINVAL;
}

/// True where files are their pages (tmpfs, ramfs): there is nothing to drop them to.
inline bool lives_in_memory(const std::string& path) {
  struct statfs status{};
  return statfs(path.c_str(), &status) == 0 &&
         (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

/// False if this kernel has no cachestat(2) (before 6.5).
inline bool has_cachestat() {
  constexpr long kNumber = 451;
  return ::syscall(kNumber, -1, nullptr, nullptr, 0) == 0 || errno != ENOSYS;
}

}  // namespace grapnel::testing_help
