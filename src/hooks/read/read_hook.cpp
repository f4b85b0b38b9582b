// The `read` hook: plain pread(2) into one small buffer that stays in the cache of the core. Works
// on every file, needs no right but to read it, and survives whatever happens to the file.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "hooks/builtin.h"
#include "hooks/common/feeder.h"
#include "hooks/common/rates.h"
#include "hooks/common/user_space.h"

namespace grapnel::hooks {
namespace {

class ReadSession final : public Session {
 public:
  ReadSession(std::shared_ptr<const program::Job> job,
              const std::shared_ptr<const program::Program>& program, PageBuffer buffer)
      : job_(job), feeder_(std::move(job), program), buffer_(std::move(buffer)) {}

  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) override {
    const ThreadMeter meter;
    feeder_.begin(extent);
    const int file = file_for(extent);
    while (feeder_.position() < extent.end) {
      if (cancel.cancelled()) return cancelled_error();
      GRAPNEL_CHECK(read_block(file, extent.end));
    }
    ExtentResult result = feeder_.finish();
    result.counters.bytes_copied = extent.end - extent.begin;
    meter.stop(result.counters, true);
    return result;
  }

 private:
  // For extents that are cached, even in part, a description of our own without readahead: it would
  // bring in what lies behind the extent, which another hook may get sooner. Without such a one (no
  // /proc) it is only slower.
  int file_for(const Extent& extent) {
    const int usual = job_->source->file.get();
    if (extent.residency != Residency::cached && extent.residency != Residency::mixed) return usual;
    if (!tried_own_file_) {
      tried_own_file_ = true;
      const std::string path = "/proc/self/fd/" + std::to_string(usual);
      own_file_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (own_file_.valid()) (void)posix_fadvise(own_file_.get(), 0, 0, POSIX_FADV_RANDOM);
    }
    return own_file_.valid() ? own_file_.get() : usual;
  }

  Status read_block(int file, uint64_t extent_end) {
    const uint64_t offset = feeder_.position();
    // Up to the next multiple of the block size, so that later reads are aligned to pages.
    const uint64_t block_end = std::min(extent_end, (offset / kBlockBytes + 1) * kBlockBytes);
    char* data = buffer_.data() + kHeadroomBytes;
    const ssize_t got =
        pread(file, data, static_cast<size_t>(block_end - offset), static_cast<off_t>(offset));
    if (got > 0) return feeder_.feed(data, static_cast<size_t>(got), {kHeadroomBytes, false});
    if (got < 0 && errno == EINTR) return ok_status();
    if (got == 0) return missing_bytes(*job_->source, offset);
    return Error::system("cannot read " + job_->source->path + " at byte " + std::to_string(offset),
                         errno, "look for device or network errors with dmesg");
  }

  std::shared_ptr<const program::Job> job_;
  ExtentFeeder feeder_;
  PageBuffer buffer_;  ///< headroom, block, slack
  UniqueFd own_file_;
  bool tried_own_file_ = false;
};

class ReadHook final : public Hook {
 public:
  [[nodiscard]] std::string_view name() const override { return "read"; }
  [[nodiscard]] std::string_view description() const override {
    return "pread into a small buffer, native code in user space";
  }
  [[nodiscard]] bool in_kernel() const override { return false; }
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "pread()",
            .since = "2.2",
            .context = "task, in user space",
            .knows_file_by = "its descriptor",
            .knows_process_by = "it is the process",
            .copied_share = 1,
            .tax = "none: nothing is attached"};
  }
  Verdict permitted() override { return Verdict::allow(); }
  Verdict eligible(const program::Job&) override { return Verdict::allow(); }

  [[nodiscard]] Cost cost(const Extent& extent, Residency residency,
                          const program::Job& job) const override {
    const uint64_t bytes = extent.end - extent.begin;
    Cost cost = cost_of(rate(name(), residency, job.source->identity.device), bytes);
    cost.bytes_copied = bytes;
    cost.device_bytes = residency == Residency::cached ? 0 : bytes;
    return cost;
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program> program) override {
    GRAPNEL_TRY(PageBuffer buffer,
                PageBuffer::allocate(kHeadroomBytes + kBlockBytes + program::kSlackBytes));
    return std::unique_ptr<Session>(
        std::make_unique<ReadSession>(std::move(job), program, std::move(buffer)));
  }
};

}  // namespace

Hook& read_hook() {
  static ReadHook hook;
  return hook;
}

}  // namespace grapnel::hooks
