// The `syscall` hook: the session reads with a system call; where that returns, a BPF program works
// on what the kernel has just copied to the session's buffer. See README.md beside this file.
#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "anchor_syscall_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/common/user_space.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/kernel/ordered_session.h"
#include "hooks/kernel/target_guard.h"
#include "hooks/syscall/places.h"
#include "hooks/syscall/read_call.h"

namespace grapnel::hooks {
namespace {

/// Stays in the CPU's second level cache between the kernel's copy and the program's.
constexpr size_t kBufferBytes = 256 << 10;

class SyscallSession final : public kernel::OrderedSession {
 public:
  SyscallSession(std::shared_ptr<const program::Job> job,
                 std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place,
                 PageBuffer buffer, syscalls::CallReader reader)
      : OrderedSession(std::move(job), std::move(program), std::move(place)),
        buffer_(std::move(buffer)),
        reader_(std::move(reader)) {}

 private:
  Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult& result) override {
    GRAPNEL_CHECK(arm());
    const size_t wanted = std::min(bytes, buffer_.size());
    const Limit limit(*this, offset + wanted);
    ssize_t got = 0;
    do {
      got = reader_.read(buffer_.data(), wanted, offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return Error::system(
          "cannot read " + job().source->path + " at byte " + std::to_string(offset), errno,
          "look for device or network errors with dmesg");
    }
    if (got == 0) return missing_bytes(*job().source, offset);
    result.counters.bytes_copied += static_cast<uint64_t>(got);
    return static_cast<size_t>(got);
  }

  PageBuffer buffer_;
  syscalls::CallReader reader_;
};

Error no_call() {
  return Error{ErrorKind::hook,
               "all calls that it could read with are switched off (GRAPNEL_PRETEND_ABSENT)", ""};
}

class SyscallHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "syscall"; }
  [[nodiscard]] std::string_view description() const override {
    return "reads, BPF where the system call returns: the most stable place, and a copy";
  }
  [[nodiscard]] const kernel::AttachPoints* places() const override { return &syscalls::places(); }
  [[nodiscard]] std::string attach_point() const override {
    const std::string place = KernelHook::attach_point();
    const syscalls::ReadCall* call = syscalls::preferred_call();
    return place.empty() || call == nullptr ? "" : place + " of " + std::string(call->name);
  }
  [[nodiscard]] HookFacts facts() const override {
    const syscalls::ReadCall* call = syscalls::preferred_call();
    return at_place({.uses = call == nullptr ? "a call that reads" : call->name,
                     .context = "task, where its system call returns",
                     .knows_file_by = "the call's descriptor and offset",
                     .knows_process_by = "the thread that drives the session",
                     .copied_share = 1,
                     .taxes_others = true,
                     .tax = "each system call: a look at whose thread it is"});
  }
  /// While it is attached, every system call of the machine is a little slower.
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse("slows down every system call of the machine while it runs",
                           "--hook syscall");
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    const syscalls::ReadCall* call = syscalls::preferred_call();
    if (call == nullptr) return no_call();
    GRAPNEL_TRY(const kernel::Anchor anchor, anchor_at_point({kernel::kArmProgram}));
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
    GRAPNEL_TRY(PageBuffer buffer, PageBuffer::allocate(kBufferBytes));
    GRAPNEL_TRY(auto reader, syscalls::CallReader::open(*call, *job->source));
    return std::unique_ptr<Session>(new SyscallSession(std::move(job), std::move(program),
                                                       std::move(place), std::move(buffer),
                                                       std::move(reader)));
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override { return embedded::anchor_syscall_bpf(); }
  Verdict probe(const kernel::KernelAccess& access) override {
    if (syscalls::preferred_call() == nullptr) return Verdict::refuse(no_call().message);
    return KernelHook::probe(access);
  }
  Verdict suits(const program::Job&) override { return Verdict::allow(); }
};

}  // namespace

Hook& syscall_hook() {
  static SyscallHook hook;
  return hook;
}

}  // namespace grapnel::hooks
