#include "hooks/common/page_cache.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace grapnel::hooks {
namespace {

// Linux 6.5 (cf264e1329fb). Debian 12's headers are older.
constexpr long kCachestatNumber = 451;
struct CachestatRange {
  uint64_t offset;
  uint64_t size;
};
struct Cachestat {
  uint64_t cached_pages;
  uint64_t dirty_pages;
  uint64_t writeback_pages;
  uint64_t evicted_pages;
  uint64_t recently_evicted_pages;
};

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kSampledPages = 4;

bool ask_cachestat(int file, uint64_t begin, uint64_t end, Cachestat& answer) {
  CachestatRange range{begin, end - begin};
  return syscall(kCachestatNumber, file, &range, &answer, 0) == 0;
}

}  // namespace

PageCacheProbe::PageCacheProbe(int file) : file_(file) {
  Cachestat ignored{};
  if (ask_cachestat(file, 0, kPageBytes, ignored)) {
    method_ = Method::cachestat;
    return;
  }
  // EPERM for who neither owns nor may write the file; ENOSYS before 6.5. mincore(2) is no way out:
  // it claims to the former that every page is there. RWF_NOWAIT tells the truth, but starts
  // readahead; with FADV_RANDOM, set on a description of our own, that is one page per question.
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  UniqueFd own(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!own.valid() || posix_fadvise(own.get(), 0, 0, POSIX_FADV_RANDOM) != 0) return;
  char byte = 0;
  iovec vector{&byte, 1};
  const ssize_t got = preadv2(own.get(), &vector, 1, 0, RWF_NOWAIT);
  if (got < 0 && errno != EAGAIN) return;
  sampling_file_ = std::move(own);
  method_ = Method::sampling;
}

std::string_view PageCacheProbe::method_name() const {
  switch (method_) {
    case Method::cachestat:
      return "cachestat";
    case Method::sampling:
      return "sampling single pages (cachestat is refused or missing)";
    case Method::none:
      return "unknown (this file system answers neither cachestat nor RWF_NOWAIT)";
  }
  return {};
}

std::optional<double> PageCacheProbe::cached_share(uint64_t begin, uint64_t end) const {
  if (begin >= end) return std::nullopt;
  switch (method_) {
    case Method::cachestat:
      return by_cachestat(begin, end);
    case Method::sampling:
      return by_sampling(begin, end);
    case Method::none:
      break;
  }
  return std::nullopt;
}

std::optional<double> PageCacheProbe::by_cachestat(uint64_t begin, uint64_t end) const {
  Cachestat answer{};
  if (!ask_cachestat(file_, begin, end, answer)) return std::nullopt;
  const uint64_t pages = (end - 1) / kPageBytes - begin / kPageBytes + 1;
  return std::min(1.0, static_cast<double>(answer.cached_pages) / static_cast<double>(pages));
}

std::optional<double> PageCacheProbe::by_sampling(uint64_t begin, uint64_t end) const {
  const uint64_t pages = (end - 1) / kPageBytes - begin / kPageBytes + 1;
  const uint64_t questions = std::min(pages, kSampledPages);
  uint64_t hits = 0;
  for (uint64_t i = 0; i < questions; i++) {
    // The middle of each of `questions` equal parts.
    const uint64_t page = begin / kPageBytes + (2 * i + 1) * pages / (2 * questions);
    char byte = 0;
    iovec vector{&byte, 1};
    const auto offset = static_cast<off_t>(std::max(begin, page * kPageBytes));
    const ssize_t got = preadv2(sampling_file_.get(), &vector, 1, offset, RWF_NOWAIT);
    if (got < 0 && errno != EAGAIN) return std::nullopt;
    if (got >= 0) hits++;
  }
  return static_cast<double>(hits) / static_cast<double>(questions);
}

}  // namespace grapnel::hooks
