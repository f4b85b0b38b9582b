#include "hooks/common/user_space.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "hooks/common/thread_clock.h"

namespace grapnel::hooks {

Error missing_bytes(const source::Source& source, uint64_t offset) {
  const auto now = source::look_at(source);
  if (!now.ok()) return now.error();
  const uint64_t size = now->identity.size;
  Error error;
  if (size < source.data_end) {
    error.kind = ErrorKind::changed;
    error.message = source.path + " was truncated while it was read: it had " +
                    std::to_string(source.data_end) + " bytes, now " + std::to_string(size);
    error.hint = "run the query again when nobody rewrites the file";
    return error;
  }
  error.kind = ErrorKind::io;
  error.system_errno = EIO;
  error.message = "cannot read " + source.path + " at byte " + std::to_string(offset) +
                  ": the file system gave no data although the file is longer";
  error.hint = "look for device or network errors with dmesg";
  return error;
}

Error cancelled_error() {
  Error error;
  error.kind = ErrorKind::cancelled;
  error.message = "the query was cancelled";
  return error;
}

ThreadMeter::ThreadMeter()
    : cpu_seconds_(thread_cpu_seconds()), device_bytes_(thread_device_bytes()) {}

void ThreadMeter::stop(HookCounters& counters, bool count_device_bytes) const {
  counters.cpu_seconds += thread_cpu_seconds() - cpu_seconds_;
  if (count_device_bytes) counters.device_bytes += thread_device_bytes() - device_bytes_;
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PageBuffer::~PageBuffer() {
  if (data_ != nullptr) munmap(data_, size_);
}

Result<PageBuffer> PageBuffer::allocate(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    Error error = Error::system("cannot get " + std::to_string(bytes) + " bytes of buffers", errno);
    error.kind = ErrorKind::limit;
    return error;
  }
  PageBuffer buffer;
  buffer.data_ = static_cast<char*>(memory);
  buffer.size_ = bytes;
  return buffer;
}

}  // namespace grapnel::hooks
