// Keeps SIGBUS from killing the process while a mapped file is read: the file may be truncated, or
// its device may fail, at any time.
#pragma once

#include <cstddef>

namespace grapnel::hooks {

/// While it lives, a SIGBUS of the calling thread inside [begin, begin + size) puts zero pages in
/// place of everything from the faulting page to the region's end, and the thread goes on. Who
/// reads the region must look at faulted() before believing what it read. That needs no jump out of
/// a signal handler over frames that own memory. Faults elsewhere go to the handler that was there
/// before. One per thread at a time; the region must begin and end at pages and be unmapped by its
/// owner.
class FaultGuard {
 public:
  FaultGuard(char* begin, size_t size);
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;
  ~FaultGuard();

  /// True if some bytes that were read since construction are not the file's.
  [[nodiscard]] bool faulted() const;
};

}  // namespace grapnel::hooks
