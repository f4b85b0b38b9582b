#include "hooks/block/read_ahead.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "hooks/common/user_space.h"

namespace grapnel::hooks::block {
namespace {

constexpr uint64_t kPageBytes = 4096;

// From linux/ioprio.h, which is no C++.
constexpr int kWhoProcess = 1;  // means the thread
constexpr int kClassShift = 13;
constexpr int kUsualPriority = 2 << kClassShift | 4;  // best effort, the middle

}  // namespace

QuietFile::QuietFile(const source::Source& source) : usual_(source.file.get()) {
  const std::string path = "/proc/self/fd/" + std::to_string(usual_);
  own_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (own_.valid()) (void)posix_fadvise(own_.get(), 0, 0, POSIX_FADV_RANDOM);
}

RequestSeparator::RequestSeparator()
    : usual_(static_cast<int>(syscall(SYS_ioprio_get, kWhoProcess, 0))) {
  // No class has no levels; it means the middle of the usual class.
  const bool none = usual_ < 0 || usual_ >> kClassShift == 0;
  priority_ = none ? kUsualPriority : usual_ & ~3;
}

RequestSeparator::~RequestSeparator() {
  if (usual_ >= 0) (void)syscall(SYS_ioprio_set, kWhoProcess, 0, usual_);
}

void RequestSeparator::separate(int kind) {
  (void)syscall(SYS_ioprio_set, kWhoProcess, 0, priority_ | kind);  // else they may be merged
}

ReadAhead::ReadAhead(const source::Source& source, int file, const Extent& extent,
                     uint64_t request_bytes, bool some_cached)
    : source_(source),
      file_(file),
      begin_(extent.begin),
      next_(extent.begin),
      end_(extent.end),
      request_bytes_(request_bytes),
      some_cached_(some_cached) {}

bool ReadAhead::send(RequestSeparator& separator) {
  if (next_ >= end_) return false;
  const uint64_t end = std::min((next_ / request_bytes_ + 1) * request_bytes_, end_);
  // The extent before ends where this one begins, in the same block.
  const uint64_t block = next_ / request_bytes_;
  separator.separate(static_cast<int>(block % 2) + (next_ == begin_ ? 2 : 0));
  // Without it, wait() reads: slower, and the requests are what the kernel makes of it.
  (void)readahead(file_, static_cast<off64_t>(next_), end - next_);
  in_flight_.push_back({next_, end});
  next_ = end;
  return true;
}

Status ReadAhead::wait() {
  const Span request = in_flight_.front();
  in_flight_.pop_front();
  if (some_cached_) {
    for (uint64_t at = request.begin; at + kPageBytes < request.end; at += kPageBytes)
      GRAPNEL_CHECK(wait_for(at));
  }
  return wait_for(request.end - 1);
}

Status ReadAhead::wait_for(uint64_t at) {
  for (;;) {
    char byte = 0;
    const ssize_t got = pread(file_, &byte, 1, static_cast<off_t>(at));
    if (got == 1) return ok_status();
    if (got == 0) return missing_bytes(source_, at);
    if (errno == EINTR) continue;
    return Error::system("cannot read " + source_.path + " at byte " + std::to_string(at), errno,
                         "look for device or network errors with dmesg");
  }
}

}  // namespace grapnel::hooks::block
