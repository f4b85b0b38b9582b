#include "hooks/syscall/read_call.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/pretend.h"

namespace grapnel::hooks::syscalls {
namespace {

constexpr ReadCall kCalls[] = {{"pread64", true, false},
                               {"preadv2", true, true},
                               {"read", false, false},
                               {"readv", false, true}};

}  // namespace

const ReadCall* preferred_call() {
  for (const ReadCall& call : kCalls)
    if (!base::pretend_absent(call.name)) return &call;
  return nullptr;
}

Result<CallReader> CallReader::open(const ReadCall& call, const source::Source& source) {
  CallReader reader(call, source.file.get());
  if (call.has_offset) return reader;
  const std::string path = "/proc/self/fd/" + std::to_string(source.file.get());
  reader.own_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reader.own_.valid())
    return Error::system("cannot open " + source.path + " once more", errno, "mount /proc");
  reader.file_ = reader.own_.get();
  return reader;
}

ssize_t CallReader::read(char* to, size_t bytes, uint64_t offset) const {
  const auto at = static_cast<off_t>(offset);
  const size_t half = bytes / 2;
  const iovec pieces[] = {{to, half}, {to + half, bytes - half}};
  if (call_->has_offset)
    return call_->is_vectored ? preadv2(file_, pieces, 2, at, 0) : pread(file_, to, bytes, at);
  if (lseek(file_, at, SEEK_SET) < 0) return -1;
  return call_->is_vectored ? readv(file_, pieces, 2) : ::read(file_, to, bytes);
}

}  // namespace grapnel::hooks::syscalls
