// What the hooks in user space have in common beside the feeder.
#pragma once

#include <memory>
#include <string>

#include "hooks/hook.h"

namespace grapnel::hooks {

/// ErrorKind::changed if the file is shorter than it was at open; else ErrorKind::io: the file
/// should have had bytes at `offset` and gave none.
Error missing_bytes(const source::Source& source, uint64_t offset);

Error cancelled_error();

/// Adds what the calling thread used between construction and stop() to counters.
class ThreadMeter {
 public:
  ThreadMeter();
  /// `count_device_bytes`: false for hooks that know better.
  void stop(HookCounters& counters, bool count_device_bytes) const;

 private:
  double cpu_seconds_ = 0;
  uint64_t device_bytes_ = 0;
};

/// Anonymous memory in whole pages, zeroed.
class PageBuffer {
 public:
  PageBuffer() = default;
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&& other) noexcept;
  PageBuffer(const PageBuffer&) = delete;
  PageBuffer& operator=(const PageBuffer&) = delete;
  ~PageBuffer();

  /// ErrorKind::limit if there is no memory.
  static Result<PageBuffer> allocate(size_t bytes);
  [[nodiscard]] char* data() const { return data_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace grapnel::hooks
