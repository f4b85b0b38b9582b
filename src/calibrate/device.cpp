#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>

#include "calibrate/measure.h"
#include "calibrate/median.h"
#include "hooks/common/thread_clock.h"
#include "hooks/common/user_space.h"

namespace grapnel::calibrate {
namespace {

using hooks::QueueShape;

/// One way to ask a device.
struct Way {
  QueueShape shape;
  std::vector<double> ns_per_byte;
  std::vector<double> cpu_ns_per_byte;
};

/// By how much another shape must be faster than the usual one, whose blocks fit the second-level
/// cache: less is noise, or goes where the op reads the block.
constexpr double kWorthIt = 0.9;
constexpr uint64_t kBytesPerTurn = 16 << 20;
constexpr unsigned kLeastRounds = 3;
constexpr unsigned kMostRounds = 9;

class Ring {
 public:
  static std::unique_ptr<Ring> open(unsigned depth) {
    auto ring = std::unique_ptr<Ring>(new Ring);
    if (io_uring_queue_init(depth, &ring->ring_, 0) != 0) return nullptr;
    ring->open_ = true;
    return ring;
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (open_) io_uring_queue_exit(&ring_);
  }

  /// Reads `bytes` from `begin` on; false if the device refuses.
  bool read(int file, uint64_t begin, uint64_t bytes, const QueueShape& shape, char* buffers) {
    const uint64_t end = begin + bytes;
    uint64_t next = begin;
    unsigned running = 0;
    bool good = true;
    std::deque<unsigned> free;
    for (unsigned i = 0; i < shape.depth; i++) free.push_back(i);
    while (running > 0 || (good && next < end)) {
      while (good && next < end && !free.empty()) {
        io_uring_sqe* entry = io_uring_get_sqe(&ring_);
        if (entry == nullptr) break;
        const auto size = static_cast<unsigned>(std::min<uint64_t>(shape.block_bytes, end - next));
        io_uring_prep_read(entry, file, buffers + size_t{free.front()} * shape.block_bytes, size,
                           next);
        entry->user_data = free.front();
        free.pop_front();
        next += size;
        running++;
      }
      io_uring_cqe* done = nullptr;
      if (io_uring_submit_and_wait(&ring_, 1) < 0) return false;
      while (io_uring_peek_cqe(&ring_, &done) == 0) {
        good = good && done->res > 0;
        free.push_back(static_cast<unsigned>(done->user_data));
        io_uring_cqe_seen(&ring_, done);
        running--;
      }
    }
    return good;
  }

 private:
  Ring() = default;
  io_uring ring_{};
  bool open_ = false;
};

std::string refusal(int error_number) {
  return std::string("the device was not measured: its file system refuses O_DIRECT (") +
         strerror(error_number) + "); --dir names another directory";
}

/// One turn of one way; false if the device refuses.
bool take_turn(int file, uint64_t begin, uint64_t bytes, Way& way, char* buffers) {
  const auto ring = Ring::open(way.shape.depth);
  if (!ring) return false;
  const double cpu = hooks::thread_cpu_seconds();
  const double wall = hooks::wall_clock_seconds();
  if (!ring->read(file, begin, bytes, way.shape, buffers)) return false;
  const double per_byte = 1e9 / static_cast<double>(bytes);
  way.ns_per_byte.push_back((hooks::wall_clock_seconds() - wall) * per_byte);
  way.cpu_ns_per_byte.push_back((hooks::thread_cpu_seconds() - cpu) * per_byte);
  return true;
}

/// The usual way, or one that is clearly faster. Never empty: the usual one is among them.
const Way& best_of(const std::vector<Way>& ways) {
  const auto ns = [](const Way& way) { return median_of(way.ns_per_byte).value; };
  const auto fastest = std::min_element(ways.begin(), ways.end(),
                                        [&](const Way& a, const Way& b) { return ns(a) < ns(b); });
  const auto usual = std::find_if(ways.begin(), ways.end(),
                                  [](const Way& way) { return way.shape == QueueShape{}; });
  return usual == ways.end() || ns(*fastest) < kWorthIt * ns(*usual) ? *fastest : *usual;
}

}  // namespace

Status measure_device(const ScratchFile& scratch, double budget_seconds, Findings& findings) {
  const UniqueFd file(::open(scratch.path().c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  struct stat status{};
  if (!file.valid() || fstat(file.get(), &status) != 0) {
    findings.notes.push_back(refusal(errno));
    return ok_status();
  }
  std::vector<Way> ways;
  for (const uint32_t block : {64U << 10, 256U << 10, QueueShape::kMostBlockBytes}) {
    for (const uint32_t depth : {1U, 8U, QueueShape::kMostDepth}) {
      ways.push_back({{block, depth}, {}, {}});
    }
  }
  GRAPNEL_TRY(
      const hooks::PageBuffer buffers,
      hooks::PageBuffer::allocate(size_t{QueueShape::kMostBlockBytes} * QueueShape::kMostDepth));
  const uint64_t bytes = std::min(kBytesPerTurn, scratch.size() / 4096 * 4096);
  const uint64_t turns = std::max<uint64_t>(1, scratch.size() / bytes);
  const double end = hooks::wall_clock_seconds() + budget_seconds;
  for (unsigned round = 0; round < kMostRounds; round++) {
    if (round >= kLeastRounds && hooks::wall_clock_seconds() > end) break;
    for (size_t i = 0; i < ways.size(); i++) {
      const uint64_t begin = (round + i) % turns * bytes;
      if (!take_turn(file.get(), begin, bytes, ways[i], buffers.data())) {
        findings.notes.emplace_back(
            "the device was not measured: io_uring is refused, or the file system has no O_DIRECT");
        return ok_status();
      }
    }
  }
  const Way& best = best_of(ways);
  findings.has_device = true;
  findings.device = status.st_dev;
  findings.device_ns_per_byte = median_of(best.ns_per_byte);
  findings.device_cpu_ns_per_byte = median_of(best.cpu_ns_per_byte).value;
  findings.queue = best.shape;
  return ok_status();
}

}  // namespace grapnel::calibrate
