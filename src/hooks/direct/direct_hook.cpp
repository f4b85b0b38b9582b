// The `direct` hook: reads around the page cache (O_DIRECT) with a queue of reads in flight. The
// fastest way to bytes that are not cached, and it leaves the cache as it was.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "hooks/builtin.h"
#include "hooks/common/feeder.h"
#include "hooks/common/rates.h"
#include "hooks/common/user_space.h"
#include "hooks/direct/block_reader.h"
#include "hooks/direct/direct_file.h"

namespace grapnel::hooks {
namespace {

class DirectSession final : public Session {
 public:
  DirectSession(std::shared_ptr<const program::Job> job,
                const std::shared_ptr<const program::Program>& program, DirectFile file,
                std::unique_ptr<BlockReader> reader, uint32_t block_bytes)
      : job_(job),
        feeder_(std::move(job), program),
        file_(std::move(file)),
        reader_(std::move(reader)),
        block_bytes_(block_bytes) {}

  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) override {
    const ThreadMeter meter;
    GRAPNEL_CHECK(expect(extent));
    Status status = read_through(extent, cancel);
    if (!status.ok()) {
      // Half of the extent is read: if it comes again, it starts over.
      GRAPNEL_CHECK(drop_all());
      return std::move(status).error();
    }
    wanted_.pop_front();
    ExtentResult result = feeder_.finish();
    result.counters.bytes_copied = extent.end - extent.begin;
    result.counters.device_bytes = device_bytes_;
    meter.stop(result.counters, false);
    return result;
  }

  [[nodiscard]] bool wants_announcement() const override { return true; }

  void announce(const Extent& next) override { announced_ = next; }

 private:
  /// Bytes of an extent, and up to where they have been asked for.
  struct Wanted {
    uint64_t begin;
    uint64_t end;
    uint64_t asked_end;
  };

  [[nodiscard]] uint64_t align_down(uint64_t offset) const {
    return offset & ~uint64_t{file_.offset_alignment - 1};
  }

  // Makes `extent` the first of those wanted and what was announced the second. What was announced
  // earlier but is not what comes is dropped.
  Status expect(const Extent& extent) {
    if (wanted_.empty() || wanted_.front().begin != extent.begin ||
        wanted_.front().end != extent.end) {
      GRAPNEL_CHECK(drop_all());
      want(extent);
    }
    if (announced_) want(*announced_);
    announced_.reset();
    return ok_status();
  }

  void want(const Extent& extent) {
    wanted_.push_back({extent.begin, extent.end, align_down(extent.begin)});
  }

  Status drop_all() {
    wanted_.clear();
    while (!reader_->idle()) {
      GRAPNEL_TRY([[maybe_unused]] const BlockAnswer dropped, reader_->take());
      reader_->release();
    }
    return ok_status();
  }

  Status read_through(const Extent& extent, const CancelToken& cancel) {
    feeder_.begin(extent);
    device_bytes_ = 0;
    while (feeder_.position() < extent.end) {
      if (cancel.cancelled()) return cancelled_error();
      ask_ahead();
      GRAPNEL_CHECK(take_block(extent));
    }
    // The next extent's reads go on while this one's result is merged.
    ask_ahead();
    return reader_->start();
  }

  void ask_ahead() {
    for (Wanted& wanted : wanted_) {
      while (reader_->has_room() && wanted.asked_end < wanted.end) {
        const uint64_t block_end = (wanted.asked_end / block_bytes_ + 1) * block_bytes_;
        const uint64_t needed_end = align_down(wanted.end + file_.offset_alignment - 1);
        const uint64_t end = std::min(block_end, needed_end);
        reader_->ask({wanted.asked_end, static_cast<uint32_t>(end - wanted.asked_end)});
        wanted.asked_end = end;
      }
    }
  }

  Status take_block(const Extent& extent) {
    GRAPNEL_TRY(const BlockAnswer answer, reader_->take());
    const uint64_t offset = feeder_.position();  // in the block; behind its start in the first only
    const uint64_t block_end = answer.request.offset + answer.request.size;
    const auto skipped = static_cast<size_t>(offset - answer.request.offset);
    const auto size = static_cast<size_t>(std::min(block_end, extent.end) - offset);
    Status status = check_answer(answer, skipped + size);
    if (status.ok()) {
      status = feeder_.feed(answer.data + skipped, size, {kHeadroomBytes + skipped, false});
    }
    reader_->release();
    return status;
  }

  Status check_answer(const BlockAnswer& answer, size_t needed) {
    if (answer.got == -EINVAL || answer.got == -EOPNOTSUPP) {
      Error error = Error::system("direct I/O on " + job_->source->path + " is refused",
                                  -answer.got, "use --hook read");
      error.kind = ErrorKind::hook;
      return error;
    }
    if (answer.got < 0 && answer.got != -EAGAIN && answer.got != -EINTR) {
      return Error::system(
          "cannot read " + job_->source->path + " at byte " + std::to_string(answer.request.offset),
          -answer.got, "look for device or network errors with dmesg");
    }
    const size_t got = answer.got < 0 ? 0 : static_cast<size_t>(answer.got);
    device_bytes_ += got;
    return fill_up(answer, std::min(got, needed), needed);
  }

  // What direct I/O stopped short of (rare: the kernel was interrupted or short of memory) is read
  // through the cache.
  Status fill_up(const BlockAnswer& answer, size_t got, size_t needed) {
    while (got < needed) {
      const uint64_t offset = answer.request.offset + got;
      const ssize_t more = pread(job_->source->file.get(), answer.data + got, needed - got,
                                 static_cast<off_t>(offset));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) {
        return Error::system(
            "cannot read " + job_->source->path + " at byte " + std::to_string(offset), errno);
      }
      if (more == 0) return missing_bytes(*job_->source, offset);
      got += static_cast<size_t>(more);
    }
    return ok_status();
  }

  std::shared_ptr<const program::Job> job_;
  ExtentFeeder feeder_;
  DirectFile file_;
  std::unique_ptr<BlockReader> reader_;  // after file_: its last reads end before the file closes
  uint64_t block_bytes_;
  std::deque<Wanted> wanted_;  ///< the extent being read, then those announced
  std::optional<Extent> announced_;
  uint64_t device_bytes_ = 0;
};

class DirectHook final : public Hook {
 public:
  [[nodiscard]] std::string_view name() const override { return "direct"; }
  [[nodiscard]] std::string_view description() const override {
    return "O_DIRECT reads by io_uring around the page cache, native code in user space";
  }
  [[nodiscard]] bool in_kernel() const override { return false; }
  /// What is cached too comes from the device, and from the cache only what is dirty: it is written
  /// first.
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "O_DIRECT by io_uring",
            .since = "5.1",
            .context = "task, in user space",
            .knows_file_by = "its descriptor",
            .knows_process_by = "it is the process",
            .fills_cache = false,
            .copied_share = 1,
            .tax = "none: nothing is attached"};
  }

  Verdict permitted() override {
    Verdict verdict = Verdict::allow();
    if (!ring_refusal().empty()) {
      verdict.reason = ring_refusal() + "; reads go one by one";
      verdict.cure = "allow io_uring to this process (sysctl kernel.io_uring_disabled=0, seccomp)";
    }
    return verdict;
  }

  Verdict eligible(const program::Job& job) override {
    auto file = DirectFile::open(*job.source);
    if (file.ok()) return Verdict::allow();
    return Verdict::refuse(file.error().to_string());
  }

  [[nodiscard]] Cost cost(const Extent& extent, Residency residency,
                          const program::Job& job) const override {
    const uint64_t bytes = extent.end - extent.begin;
    Cost cost = cost_of(rate(name(), residency, job.source->identity.device), bytes);
    cost.bytes_copied = bytes;
    cost.device_bytes = bytes;
    return cost;
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program> program) override {
    GRAPNEL_TRY(DirectFile file, DirectFile::open(*job->source));
    const QueueShape shape = queue_shape(job->source->identity.device);
    auto reader = make_ring_reader(file.file.get(), shape);
    if (!reader.ok() && reader.error().kind == ErrorKind::permission) {
      reader = make_plain_reader(file.file.get(), shape.block_bytes);
    }
    if (!reader.ok()) return std::move(reader).error();
    return std::unique_ptr<Session>(std::make_unique<DirectSession>(
        std::move(job), program, std::move(file), std::move(reader).value(), shape.block_bytes));
  }
};

}  // namespace

Hook& direct_hook() {
  static DirectHook hook;
  return hook;
}

}  // namespace grapnel::hooks
