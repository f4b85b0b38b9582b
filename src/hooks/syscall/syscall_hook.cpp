// The `syscall` hook: the session reads with pread(); where that returns, a BPF program works on
// what the kernel has just copied to the session's buffer. See README.md beside this file.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "anchor_syscall_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/common/user_space.h"
#include "hooks/kernel/attach_probe.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/kernel/ordered_session.h"
#include "hooks/kernel/target_guard.h"

namespace grapnel::hooks {
namespace {

/// Stays in the CPU's second level cache between the kernel's copy and the program's.
constexpr size_t kBufferBytes = 256 << 10;

class SyscallSession final : public kernel::OrderedSession {
 public:
  SyscallSession(std::shared_ptr<const program::Job> job,
                 std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place,
                 PageBuffer buffer)
      : OrderedSession(std::move(job), std::move(program), std::move(place)),
        buffer_(std::move(buffer)) {}

 private:
  Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult& result) override {
    if (!target_) {
      GRAPNEL_TRY(auto target, kernel::TargetGuard::arm(place(), job().source->file.get()));
      target_.emplace(std::move(target));
    }
    const size_t wanted = std::min(bytes, buffer_.size());
    gr_worker& worker = place().worker();
    worker.limit = offset + wanted;
    ssize_t got = 0;
    do {
      got = pread(job().source->file.get(), buffer_.data(), wanted, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    const int error_number = errno;
    worker.limit = 0;
    if (got < 0) {
      return Error::system(
          "cannot read " + job().source->path + " at byte " + std::to_string(offset), error_number,
          "look for device or network errors with dmesg");
    }
    if (got == 0) return missing_bytes(*job().source, offset);
    result.counters.bytes_copied += static_cast<uint64_t>(got);
    return static_cast<size_t>(got);
  }

  PageBuffer buffer_;
  std::optional<kernel::TargetGuard> target_;
};

class SyscallHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "syscall"; }
  [[nodiscard]] std::string_view description() const override {
    return "pread(), BPF where the system call returns: the most stable place, and a copy";
  }
  [[nodiscard]] std::string attach_point() const override {
    return "raw_tp/sys_exit (exact, on the reader's copy)";
  }
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "pread()",
            .kind = PlaceKind::tracepoint,
            .since = "5.17",
            .foundation = Foundation::tracepoint_values,
            .context = "task, where its system call returns",
            .knows_file_by = "the call's offset",
            .knows_process_by = "the thread that drives the session",
            .copied_share = 1,
            .taxes_others = true,
            .tax = "each system call +60 ns, a pread() +130 ns"};
  }
  /// While it is attached, every system call of the machine is a little slower.
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse("slows down every system call of the machine while it runs",
                           "--hook syscall");
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    const kernel::Anchor anchor{
        name(), bitcode(), "gr_syscall", {"gr_syscall"}, {kernel::kArmProgram}};
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
    GRAPNEL_TRY(PageBuffer buffer, PageBuffer::allocate(kBufferBytes));
    return std::unique_ptr<Session>(new SyscallSession(std::move(job), std::move(program),
                                                       std::move(place), std::move(buffer)));
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override { return embedded::anchor_syscall_bpf(); }
  Verdict probe(const kernel::KernelAccess&) override {
    return kernel::can_attach_tracepoint("sys_exit");
  }
  Verdict suits(const program::Job&) override { return Verdict::allow(); }
};

}  // namespace

Hook& syscall_hook() {
  static SyscallHook hook;
  return hook;
}

}  // namespace grapnel::hooks
