// The `ship` hook: a server sends the file's bytes, and this machine computes on them.
#include <algorithm>
#include <cstring>

#include "hooks/builtin.h"
#include "hooks/common/feeder.h"
#include "hooks/common/rates.h"
#include "hooks/common/user_space.h"
#include "hooks/ship/shipped_file.h"

namespace grapnel::hooks {
namespace {

using ship::ShippedFile;
using ship::Window;

/// The bytes of one extent, in order. What is not taken in the end is given up, so that it does not
/// fill the window.
class ExtentBytes {
 public:
  ExtentBytes(const ShippedFile& file, std::shared_ptr<Window> window, const Extent& extent)
      : head_(file.head()), window_(std::move(window)), position_(extent.begin), end_(extent.end) {}
  ExtentBytes(const ExtentBytes&) = delete;
  ExtentBytes& operator=(const ExtentBytes&) = delete;
  ~ExtentBytes() { window_->give_up(std::max(position_, window_->begin()), end_); }

  /// Fills `into` up to the file's byte `end`; less only if there are no more. Returns how many.
  Result<size_t> read(char* into, uint64_t end, const CancelToken& cancel) {
    const uint64_t begin = position_;
    while (position_ < end) {
      GRAPNEL_TRY(const source::FileChunk part, next_part(end, cancel));
      if (part.bytes.empty()) break;
      std::memcpy(into + (position_ - begin), part.bytes.data(), part.bytes.size());
      position_ += part.bytes.size();
    }
    return static_cast<size_t>(position_ - begin);
  }

 private:
  Result<source::FileChunk> next_part(uint64_t end, const CancelToken& cancel) {
    if (position_ >= head_.size()) return window_->take(position_, end, cancel);
    return source::FileChunk{nullptr, head_.substr(position_, end - position_)};
  }

  const std::string_view head_;
  const std::shared_ptr<Window> window_;
  uint64_t position_;
  const uint64_t end_;
};

class ShipSession final : public Session {
 public:
  ShipSession(std::shared_ptr<const program::Job> job,
              const std::shared_ptr<const program::Program>& program, ShippedFile& file,
              PageBuffer buffer)
      : job_(job), file_(file), feeder_(std::move(job), program), buffer_(std::move(buffer)) {}

  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) override {
    const ThreadMeter meter;
    feeder_.begin(extent);
    ExtentBytes bytes(file_, file_.window_for(extent, shared_), extent);
    while (feeder_.position() < extent.end) {
      if (cancel.cancelled()) return cancelled_error();
      GRAPNEL_CHECK(feed_block(bytes, extent.end, cancel));
    }
    ExtentResult result = feeder_.finish();
    result.counters.bytes_copied = extent.end - extent.begin;
    meter.stop(result.counters, false);
    return result;
  }

 private:
  // Copied once, into memory that stays in the cache of the core: programs want room before and
  // behind the bytes, and pieces come as the network cuts them.
  Status feed_block(ExtentBytes& bytes, uint64_t extent_end, const CancelToken& cancel) {
    const uint64_t offset = feeder_.position();
    const uint64_t block_end = std::min(extent_end, (offset / kBlockBytes + 1) * kBlockBytes);
    char* const data = buffer_.data() + kHeadroomBytes;
    GRAPNEL_TRY(const size_t size, bytes.read(data, block_end, cancel));
    if (offset + size < block_end) return missing_bytes(*job_->source, offset + size);
    return feeder_.feed(data, size, {kHeadroomBytes, false});
  }

  std::shared_ptr<const program::Job> job_;  ///< keeps the file
  ShippedFile& file_;
  ExtentFeeder feeder_;
  PageBuffer buffer_;  ///< headroom, block, slack
  std::shared_ptr<Window> shared_;
};

class ShipHook final : public Hook {
 public:
  [[nodiscard]] std::string_view name() const override { return "ship"; }
  [[nodiscard]] std::string_view description() const override {
    return "a server sends the file's bytes, native code in user space here";
  }
  [[nodiscard]] bool in_kernel() const override { return false; }
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "bytes from a server",
            .since = "2.2",
            .context = "task, in user space of the client",
            .knows_file_by = "its path on the server, device, inode and times",
            .knows_process_by = "it is the process",
            .copied_share = 1,
            .tax = "none: nothing is attached"};
  }
  Verdict permitted() override { return Verdict::allow(); }
  Verdict eligible(const program::Job& job) override {
    if (file_of(job) != nullptr) return Verdict::allow();
    return Verdict::refuse("the file is here already", "name a server with --on HOST:PORT");
  }

  [[nodiscard]] Cost cost(const Extent& extent, Residency residency,
                          const program::Job& job) const override {
    const uint64_t bytes = extent.end - extent.begin;
    Cost cost = cost_of(rate(name(), residency, 0), bytes);
    const ShippedFile* file = file_of(job);
    if (file != nullptr) {
      if (const auto link = known_link(file->server_address())) {
        cost.wall_seconds = static_cast<double>(bytes) / link->bytes_per_second;
      }
    }
    cost.bytes_copied = bytes;
    cost.link_bytes = bytes;
    return cost;
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program> program) override {
    ShippedFile* const file = file_of(*job);
    if (file == nullptr) {
      return Error{ErrorKind::hook, eligible(*job).reason, {}, 0, std::nullopt};
    }
    GRAPNEL_TRY(PageBuffer buffer,
                PageBuffer::allocate(kHeadroomBytes + kBlockBytes + program::kSlackBytes));
    return std::unique_ptr<Session>(
        std::make_unique<ShipSession>(std::move(job), program, *file, std::move(buffer)));
  }

 private:
  static ShippedFile* file_of(const program::Job& job) {
    return dynamic_cast<ShippedFile*>(job.source->remote.get());
  }
};

}  // namespace

Hook& ship_hook() {
  static ShipHook hook;
  return hook;
}

}  // namespace grapnel::hooks
