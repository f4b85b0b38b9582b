#include "hooks/kernel/file_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "hooks/common/user_space.h"

namespace grapnel::hooks::kernel {

Result<FilePipe> FilePipe::open(size_t wanted_bytes) {
  GRAPNEL_TRY(PipePair pipe, PipePair::open(wanted_bytes));
  UniqueFd drain(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!drain.valid()) return Error::system("cannot open /dev/null", errno);
  return FilePipe(std::move(pipe), std::move(drain));
}

Result<size_t> FilePipe::fill(const source::Source& source, uint64_t offset, size_t bytes) {
  for (;;) {
    auto at = static_cast<loff_t>(offset);
    const ssize_t got = splice(source.file.get(), &at, pipe_.write_end(), nullptr,
                               std::min(bytes, pipe_.capacity_bytes()), 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0) return missing_bytes(source, offset);
    if (errno == EINTR) continue;
    if (errno == EINVAL) {
      return Error{ErrorKind::hook,
                   "the file system of " + source.path + " does not support splice",
                   "use a hook in user space"};
    }
    return Error::system(
        "cannot read " + source.path + " at byte " + std::to_string(offset) + " by splice", errno,
        "look for device or network errors with dmesg");
  }
}

Status FilePipe::empty(size_t bytes) {
  while (bytes > 0) {
    const ssize_t gone =
        splice(pipe_.read_end(), nullptr, drain_.get(), nullptr, bytes, SPLICE_F_MOVE);
    if (gone < 0 && errno == EINTR) continue;
    if (gone <= 0) return Error::system("cannot empty a pipe", gone == 0 ? EPIPE : errno);
    bytes -= static_cast<size_t>(gone);
  }
  return ok_status();
}

}  // namespace grapnel::hooks::kernel
