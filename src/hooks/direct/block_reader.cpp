#include "hooks/direct/block_reader.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace grapnel::hooks {
namespace {

static_assert(kHeadroomBytes <= kLargestAlignment && program::kSlackBytes <= kLargestAlignment);

// io_uring set up for one thread that submits and waits itself. Older kernels know fewer flags.
int set_up_ring(io_uring& ring, uint32_t depth) {
  constexpr unsigned kFlagSets[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                    IORING_SETUP_COOP_TASKRUN, 0};
  int error = 0;
  for (const unsigned flags : kFlagSets) {
    error = -io_uring_queue_init(depth, &ring, flags);
    if (error != EINVAL) break;
  }
  return error;
}

std::string explain_refusal(int error_number) {
  std::string why = "io_uring is refused (" + std::string(strerror(error_number)) + ")";
  std::ifstream setting("/proc/sys/kernel/io_uring_disabled");
  int value = 0;
  if (setting >> value && value != 0) {
    why += ": sysctl kernel.io_uring_disabled is " + std::to_string(value);
  } else if (error_number == EPERM) {
    why += ": by a seccomp filter, as containers often have one";
  }
  return why;
}

class RingReader final : public BlockReader {
 public:
  RingReader(int file, BlockBuffers buffers) : file_(file), buffers_(std::move(buffers)) {
    for (uint32_t i = 0; i < buffers_.count(); i++) free_.push_back(i);
  }
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;

  ~RingReader() override {
    if (!ring_ready_) return;
    // The kernel writes into our buffers until the last read has come back.
    while (in_flight_ > 0 && reap(true)) {
    }
    io_uring_queue_exit(&ring_);
  }

  Status prepare() {
    if (const int error = set_up_ring(ring_, buffers_.count()); error != 0) {
      Error refused = Error::system("io_uring", error);
      refused.kind = ErrorKind::permission;
      return refused;
    }
    ring_ready_ = true;
    std::vector<iovec> vectors;
    vectors.reserve(buffers_.count());
    for (uint32_t i = 0; i < buffers_.count(); i++) {
      vectors.push_back({buffers_.data(i), buffers_.block_bytes()});
    }
    // Refused above RLIMIT_MEMLOCK; the reads then pin their pages one by one.
    registered_ = io_uring_register_buffers(&ring_, vectors.data(),
                                            static_cast<unsigned>(vectors.size())) == 0;
    return ok_status();
  }

  [[nodiscard]] bool has_room() const override { return !free_.empty(); }
  [[nodiscard]] bool idle() const override { return queue_.empty(); }

  void ask(const BlockRequest& request) override {
    assert(has_room() && request.size <= buffers_.block_bytes());
    const uint32_t buffer = free_.back();
    free_.pop_back();
    queue_.push_back({request, buffer, 0, false});
    in_buffer_[buffer] = &queue_.back();  // a deque keeps elements in place while its ends move
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    assert(entry != nullptr);  // as many entries as buffers
    if (registered_) {
      io_uring_prep_read_fixed(entry, file_, buffers_.data(buffer), request.size, request.offset,
                               static_cast<int>(buffer));
    } else {
      io_uring_prep_read(entry, file_, buffers_.data(buffer), request.size, request.offset);
    }
    io_uring_sqe_set_data64(entry, buffer);
    to_submit_++;
  }

  Status start() override {
    while (to_submit_ > 0) {
      const int submitted = io_uring_submit(&ring_);
      if (submitted == -EINTR || submitted == -EAGAIN || submitted == -EBUSY) {
        if (in_flight_ > 0) reap(true);
        continue;
      }
      if (submitted < 0) return Error::system("io_uring cannot take reads", -submitted);
      to_submit_ -= static_cast<uint32_t>(submitted);
      in_flight_ += static_cast<uint32_t>(submitted);
    }
    return ok_status();
  }

  Result<BlockAnswer> take() override {
    assert(!queue_.empty());
    GRAPNEL_CHECK(start());
    Slot& slot = queue_.front();
    reap(false);
    while (!slot.done) {
      if (!reap(true)) return Error::system("io_uring lost its reads", EIO);
    }
    return BlockAnswer{slot.request, buffers_.data(slot.buffer), slot.got};
  }

  void release() override {
    free_.push_back(queue_.front().buffer);
    queue_.pop_front();
  }

 private:
  struct Slot {
    BlockRequest request;
    uint32_t buffer;
    int32_t got;
    bool done;
  };

  // Notes all reads that have come back; with `wait`, at least one. False if that failed.
  bool reap(bool wait) {
    io_uring_cqe* entry = nullptr;
    if (wait) {
      int error = 0;
      do {
        error = io_uring_wait_cqe(&ring_, &entry);
      } while (error == -EINTR);
      if (error != 0) return false;
    }
    unsigned seen = 0;
    unsigned head = 0;
    io_uring_for_each_cqe(&ring_, head, entry) {
      Slot& slot = *in_buffer_[io_uring_cqe_get_data64(entry)];
      slot.got = entry->res;
      slot.done = true;
      seen++;
    }
    io_uring_cq_advance(&ring_, seen);
    in_flight_ -= seen;
    return true;
  }

  int file_;
  BlockBuffers buffers_;
  io_uring ring_{};
  bool ring_ready_ = false;
  bool registered_ = false;
  std::deque<Slot> queue_;  ///< in the order asked for
  std::array<Slot*, QueueShape::kMostDepth> in_buffer_{};
  std::vector<uint32_t> free_;
  uint32_t to_submit_ = 0;
  uint32_t in_flight_ = 0;
};

class PlainReader final : public BlockReader {
 public:
  PlainReader(int file, BlockBuffers buffers) : file_(file), buffers_(std::move(buffers)) {}

  [[nodiscard]] bool has_room() const override { return !asked_; }
  [[nodiscard]] bool idle() const override { return !asked_; }
  void ask(const BlockRequest& request) override {
    request_ = request;
    asked_ = true;
  }
  Status start() override { return ok_status(); }
  Result<BlockAnswer> take() override {
    ssize_t got = 0;
    do {
      got = pread(file_, buffers_.data(0), request_.size, static_cast<off_t>(request_.offset));
    } while (got < 0 && errno == EINTR);
    return BlockAnswer{request_, buffers_.data(0), static_cast<int32_t>(got < 0 ? -errno : got)};
  }
  void release() override { asked_ = false; }

 private:
  int file_;
  BlockBuffers buffers_;
  BlockRequest request_;
  bool asked_ = false;
};

}  // namespace

size_t BlockBuffers::stride(const QueueShape& shape) {
  return shape.block_bytes + 2 * kLargestAlignment;
}

Result<BlockBuffers> BlockBuffers::allocate(const QueueShape& shape) {
  BlockBuffers buffers;
  GRAPNEL_TRY(buffers.memory_,
              PageBuffer::allocate(shape.depth * stride(shape) + kLargestAlignment));
  buffers.shape_ = shape;
  return buffers;
}

char* BlockBuffers::data(uint32_t number) const {
  const auto base = reinterpret_cast<uintptr_t>(memory_.data());
  const uintptr_t aligned = (base + kLargestAlignment - 1) / kLargestAlignment * kLargestAlignment;
  return memory_.data() + (aligned - base) + number * stride(shape_) + kLargestAlignment;
}

Result<std::unique_ptr<BlockReader>> make_ring_reader(int direct_file, const QueueShape& shape) {
  GRAPNEL_TRY(BlockBuffers buffers, BlockBuffers::allocate(shape));
  auto reader = std::make_unique<RingReader>(direct_file, std::move(buffers));
  GRAPNEL_CHECK(reader->prepare());
  return std::unique_ptr<BlockReader>(std::move(reader));
}

Result<std::unique_ptr<BlockReader>> make_plain_reader(int direct_file, uint32_t block_bytes) {
  GRAPNEL_TRY(BlockBuffers buffers, BlockBuffers::allocate({block_bytes, 1}));
  return std::unique_ptr<BlockReader>(
      std::make_unique<PlainReader>(direct_file, std::move(buffers)));
}

const std::string& ring_refusal() {
  static const std::string refusal = [] {
    io_uring ring{};
    const int error = set_up_ring(ring, QueueShape{}.depth);
    if (error != 0) return explain_refusal(error);
    io_uring_queue_exit(&ring);
    return std::string();
  }();
  return refusal;
}

}  // namespace grapnel::hooks
