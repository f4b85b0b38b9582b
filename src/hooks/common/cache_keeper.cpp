#include "hooks/common/cache_keeper.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "hooks/common/page_cache.h"

namespace grapnel::hooks {
namespace {

constexpr uint64_t kPageBytes = 4096;
// Bounds what a file with a hole at every second page costs. What is not looked at stays as it is.
constexpr size_t kMostQuestions = 200'000;

// What was read ahead and is still on its way cannot be taken out yet.
constexpr int kAttempts = 20;
constexpr timespec kPause{0, 5'000'000};

Error cannot_know() {
  return {ErrorKind::hook,
          "what is in the page cache cannot be known for this file, so it cannot be left as it was",
          "cachestat(2) is for who owns or may write the file, since Linux 6.5", 0, std::nullopt};
}

}  // namespace

Result<std::unique_ptr<CacheKeeper>> CacheKeeper::open(int file) {
  UniqueFd own(fcntl(file, F_DUPFD_CLOEXEC, 3));
  struct stat status{};
  if (!own.valid() || fstat(own.get(), &status) != 0) {
    return Error::system("cannot look at the file", errno);
  }
  std::unique_ptr<CacheKeeper> keeper(new CacheKeeper(std::move(own)));
  const auto size = static_cast<uint64_t>(status.st_size);
  const PageCacheProbe probe(file);
  if (probe.method() != PageCacheProbe::Method::cachestat) return cannot_know();
  if (!keeper->look(0, (size + kPageBytes - 1) / kPageBytes * kPageBytes)) return cannot_know();
  return keeper;
}

bool CacheKeeper::look(uint64_t begin, uint64_t end) {
  const PageCacheProbe probe(file_.get());
  // The ranges still to be looked at, in file order from the back.
  std::vector<Range> open_ranges;
  if (begin < end) open_ranges.push_back({begin, end});
  while (!open_ranges.empty() && questions_ < kMostQuestions) {
    const Range range = open_ranges.back();
    open_ranges.pop_back();
    const auto share = probe.cached_share(range.begin, range.end);
    questions_++;
    if (!share) return false;
    if (*share == 0) {
      if (!absent_.empty() && absent_.back().end == range.begin) {
        absent_.back().end = range.end;
      } else {
        absent_.push_back(range);
      }
    } else if (*share < 1 && range.end - range.begin > kPageBytes) {
      const uint64_t middle = range.begin + (range.end - range.begin) / kPageBytes / 2 * kPageBytes;
      open_ranges.push_back({middle, range.end});
      open_ranges.push_back({range.begin, middle});
    }
  }
  return true;
}

void CacheKeeper::restore() const {
  const PageCacheProbe probe(file_.get());
  std::vector<Range> left = absent_;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    std::erase_if(left, [&probe](const Range& range) {
      const auto share = probe.cached_share(range.begin, range.end);
      return share && *share == 0;
    });
    if (left.empty()) return;
    if (attempt > 0) ::nanosleep(&kPause, nullptr);
    for (const Range& range : left) {
      (void)posix_fadvise(file_.get(), static_cast<off_t>(range.begin),
                          static_cast<off_t>(range.end - range.begin), POSIX_FADV_DONTNEED);
    }
  }
}

uint64_t CacheKeeper::added_bytes() const {
  const PageCacheProbe probe(file_.get());
  double bytes = 0;
  for (const Range& range : absent_) {
    const double size = static_cast<double>(range.end - range.begin);
    bytes += probe.cached_share(range.begin, range.end).value_or(0) * size;
  }
  return static_cast<uint64_t>(bytes);
}

}  // namespace grapnel::hooks
