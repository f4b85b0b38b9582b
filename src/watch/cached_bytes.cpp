#include "watch/cached_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "hooks/mmap/fault_guard.h"

namespace grapnel::watch {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kFaultAroundBytes = 64 << 10;

/// Of this thread: each has waited for the device.
long major_faults() {
  rusage usage{};
  (void)getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_majflt;
}

/// To anybody else mincore(2) claims that every page is cached.
bool is_told_the_truth(int file) {
  struct stat about{};
  if (fstat(file, &about) != 0) return false;
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  return geteuid() == 0 || about.st_uid == geteuid() ||
         faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace

CachedBytes::CachedBytes(CachedBytes&& other) noexcept
    : source_(other.source_),
      window_(std::exchange(other.window_, nullptr)),
      window_begin_(other.window_begin_),
      window_bytes_(other.window_bytes_),
      resident_(std::move(other.resident_)) {}

CachedBytes::~CachedBytes() { unmap(); }

void CachedBytes::unmap() {
  if (window_ != nullptr) munmap(window_, window_bytes_);
  window_ = nullptr;
}

Result<CachedBytes> CachedBytes::open(const source::Source& source) {
  if (!is_told_the_truth(source.file.get())) {
    return Error{ErrorKind::permission,
                 "the kernel tells only the owner of " + source.path +
                     ", and who may write it, which of its pages are cached",
                 "run as its owner or as root"};
  }
  CachedBytes bytes(source);
  if (source.data_end > 0) GRAPNEL_CHECK(bytes.map_window(0));
  return bytes;
}

Status CachedBytes::map_window(uint64_t number) {
  const uint64_t begin = number * kWindowBytes;
  if (window_ != nullptr && window_begin_ == begin) return ok_status();
  unmap();
  const uint64_t file_end = (source_->data_end + kPageBytes - 1) / kPageBytes * kPageBytes;
  window_bytes_ = static_cast<size_t>(std::min(kWindowBytes, file_end - begin));
  void* mapped = mmap(nullptr, window_bytes_, PROT_READ, MAP_SHARED, source_->file.get(),
                      static_cast<off_t>(begin));
  if (mapped == MAP_FAILED) {
    Error error = Error::system("cannot map " + source_->path, errno,
                                "a watch needs a file system that can map files");
    error.kind = ErrorKind::hook;
    return error;
  }
  window_ = static_cast<char*>(mapped);
  window_begin_ = begin;
  if (madvise(window_, window_bytes_, MADV_RANDOM) != 0)
    return Error::system("cannot switch off the readahead of " + source_->path, errno);
  return ok_status();
}

Result<const std::vector<unsigned char>*> CachedBytes::look(uint64_t first, uint64_t count) {
  const uint64_t begin = first * kPageBytes;
  GRAPNEL_CHECK(map_window(begin / kWindowBytes));
  resident_.resize(count);
  if (mincore(window_ + (begin - window_begin_), count * kPageBytes, resident_.data()) != 0)
    return Error::system("cannot ask what is cached of " + source_->path, errno);
  for (unsigned char& page : resident_) page &= 1;
  return &std::as_const(resident_);
}

uint64_t CachedBytes::copy(uint64_t begin, uint64_t end, char* to) {
  if (window_ == nullptr) return 0;  // cut off by the copy before this one
  const uint64_t map_end = window_begin_ + window_bytes_;
  const uint64_t pages_end = std::min((end + kPageBytes - 1) / kPageBytes * kPageBytes, map_end);
  char* const pages = window_ + (begin - window_begin_);
  const auto size = static_cast<size_t>(pages_end - begin);
  uint64_t done = begin;
  bool faulted = false;
  {
    const hooks::FaultGuard guard(pages, size);
    const long before = major_faults();
    // The kernel maps what is cached around a fault in one go. Mapped pages stay.
    while (done < end) {
      const volatile char* const first = pages + (done - begin);
      (void)*first;
      if (major_faults() != before) break;
      const uint64_t next = std::min(end, (done / kFaultAroundBytes + 1) * kFaultAroundBytes);
      std::memcpy(to + (done - begin), pages + (done - begin), static_cast<size_t>(next - done));
      done = next;
    }
    faulted = guard.faulted();
  }
  // Mapped pages stay in the cache although their reader wants to be rid of them.
  (void)madvise(pages, size, MADV_DONTNEED);
  if (!faulted) return done - begin;
  unmap();  // the guard has put other pages there
  return 0;
}

}  // namespace grapnel::watch
