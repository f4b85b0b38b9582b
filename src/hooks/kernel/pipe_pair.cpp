#include "hooks/kernel/pipe_pair.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace grapnel::hooks::kernel {

Result<PipePair> PipePair::open(size_t wanted_bytes) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::system("cannot make a pipe", errno);
  PipePair pipe;
  pipe.read_end_ = UniqueFd(ends[0]);
  pipe.write_end_ = UniqueFd(ends[1]);
  // Half and half again until it is allowed; a new pipe has 64 KiB, or 4 KiB for a user with many.
  for (size_t bytes = wanted_bytes; bytes >= 4096; bytes /= 2)
    if (fcntl(pipe.write_end(), F_SETPIPE_SZ, static_cast<int>(bytes)) >= 0) break;
  const int capacity = fcntl(pipe.write_end(), F_GETPIPE_SZ);
  if (capacity <= 0) return Error::system("cannot ask for the size of a pipe", errno);
  pipe.capacity_bytes_ = static_cast<size_t>(capacity);
  return pipe;
}

}  // namespace grapnel::hooks::kernel
