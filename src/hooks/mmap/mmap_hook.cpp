// The `mmap` hook: the file mapped into memory, extent by extent. Taken only when it is named: a
// file that is truncated while it is mapped raises SIGBUS. FaultGuard turns that into an error, but
// a library should not install signal handlers unasked.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "hooks/builtin.h"
#include "hooks/common/feeder.h"
#include "hooks/common/rates.h"
#include "hooks/common/user_space.h"
#include "hooks/mmap/fault_guard.h"

namespace grapnel::hooks {
namespace {

constexpr uint64_t kPageBytes = 4096;
// Pages are mapped in pieces of this size: far fewer faults than one per 64 KiB, and what a piece
// brings in is still in the second-level cache when it is read.
constexpr size_t kPopulateBytes = 2 << 20;

// Some pages of a file, with a page behind them that may be read too (program::kSlackBytes).
class Mapping {
 public:
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Mapping(Mapping&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), file_size_(other.file_size_) {}
  ~Mapping() {
    if (base_ != nullptr) munmap(base_, file_size_ + kPageBytes);
  }

  static Result<Mapping> make(const source::Source& source, uint64_t begin, uint64_t end) {
    const auto size = static_cast<size_t>((end - begin + kPageBytes - 1) / kPageBytes * kPageBytes);
    void* base = mmap(nullptr, size + kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return Error::system("cannot reserve address space", errno);
    Mapping mapping(static_cast<char*>(base), size);
    if (mmap(base, size, PROT_READ, MAP_SHARED | MAP_FIXED, source.file.get(),
             static_cast<off_t>(begin)) == MAP_FAILED) {
      Error error = Error::system("cannot map " + source.path, errno);
      error.kind = ErrorKind::hook;
      error.hint = "some file systems cannot map files: use --hook read";
      return error;
    }
    return mapping;
  }

  [[nodiscard]] char* data() const { return base_; }
  [[nodiscard]] size_t file_size() const { return file_size_; }

 private:
  Mapping(char* base, size_t file_size) : base_(base), file_size_(file_size) {}
  char* base_;
  size_t file_size_;
};

class MmapSession final : public Session {
 public:
  MmapSession(std::shared_ptr<const program::Job> job,
              const std::shared_ptr<const program::Program>& program)
      : job_(job), feeder_(std::move(job), program) {}

  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) override {
    const ThreadMeter meter;
    const uint64_t map_begin = extent.begin / kPageBytes * kPageBytes;
    GRAPNEL_TRY(const Mapping mapping, Mapping::make(*job_->source, map_begin, extent.end));
    const FaultGuard guard(mapping.data(), mapping.file_size());
    feeder_.begin(extent);
    uint64_t populated_end = map_begin;
    while (feeder_.position() < extent.end) {
      if (cancel.cancelled()) return cancelled_error();
      const uint64_t offset = feeder_.position();
      if (offset >= populated_end) {
        populated_end = populate(mapping, map_begin, populated_end);
      }
      const uint64_t block_end = std::min(extent.end, (offset / kBlockBytes + 1) * kBlockBytes);
      Status status = feeder_.feed(mapping.data() + (offset - map_begin),
                                   static_cast<size_t>(block_end - offset), {0, true});
      // Looked at before the status: zeros in place of the file's bytes may look like bad data.
      if (guard.faulted()) return missing_bytes(*job_->source, offset);
      GRAPNEL_CHECK(std::move(status));
    }
    ExtentResult result = feeder_.finish();
    meter.stop(result.counters, true);
    return result;
  }

 private:
  // Only makes it faster: what it cannot bring in faults later, under the guard.
  static uint64_t populate(const Mapping& mapping, uint64_t map_begin, uint64_t begin) {
    const auto at = static_cast<size_t>(begin - map_begin);
    const size_t size = std::min(kPopulateBytes, mapping.file_size() - at);
    (void)madvise(mapping.data() + at, size, MADV_POPULATE_READ);
    return begin + size;
  }

  std::shared_ptr<const program::Job> job_;
  ExtentFeeder feeder_;
};

class MmapHook final : public Hook {
 public:
  [[nodiscard]] std::string_view name() const override { return "mmap"; }
  [[nodiscard]] std::string_view description() const override {
    return "file mapped into memory, native code in user space; only when named";
  }
  [[nodiscard]] bool in_kernel() const override { return false; }
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "mmap()",
            .since = "2.2",
            .pinned = false,
            .context = "task, in user space",
            .knows_file_by = "its mapping",
            .knows_process_by = "it is the process",
            .tax = "none: nothing is attached"};
  }
  Verdict permitted() override { return Verdict::allow(); }
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse(
        "only when named: a file truncated while it is mapped raises SIGBUS, which needs a handler "
        "for the whole process");
  }
  Verdict eligible(const program::Job&) override { return Verdict::allow(); }

  [[nodiscard]] Cost cost(const Extent& extent, Residency residency,
                          const program::Job& job) const override {
    const uint64_t bytes = extent.end - extent.begin;
    Cost cost = cost_of(rate(name(), residency, job.source->identity.device), bytes);
    cost.device_bytes = residency == Residency::cached ? 0 : bytes;
    return cost;
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program> program) override {
    return std::unique_ptr<Session>(std::make_unique<MmapSession>(std::move(job), program));
  }
};

}  // namespace

Hook& mmap_hook() {
  static MmapHook hook;
  return hook;
}

}  // namespace grapnel::hooks
