// The `pipe` hook: splice(file -> pipe), a BPF program of type syscall works on the pipe's pages
// where they lie, splice on to /dev/null. The data is never copied to user space; only the result
// comes back.
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hooks/builtin.h"
#include "hooks/common/rates.h"
#include "hooks/pipe/page_constant.h"
#include "hooks/pipe/pipe_program.h"
#include "hooks/pipe/pipe_session.h"
#include "lower/bpf/kernel_btf.h"

namespace grapnel::hooks {
namespace {

using pipe::PipeProgram;
using pipe::PipeSession;

/// What is found out once in a process: the kernel's layout, or why it cannot be had.
class KernelAccess {
 public:
  static Result<KernelAccess> probe() {
    GRAPNEL_TRY(lower::bpf::KernelBtf btf, lower::bpf::KernelBtf::open());
    GRAPNEL_TRY(const uint64_t constant, pipe::find_page_constant(btf));
    return KernelAccess(std::move(btf), constant);
  }
  [[nodiscard]] std::string btf_path() const { return btf_.path(); }
  [[nodiscard]] uint64_t page_constant() const { return page_constant_; }

 private:
  KernelAccess(lower::bpf::KernelBtf btf, uint64_t page_constant)
      : btf_(std::move(btf)), page_constant_(page_constant) {}
  lower::bpf::KernelBtf btf_;
  uint64_t page_constant_;
};

const Result<KernelAccess>& kernel_access() {
  static const Result<KernelAccess> access = KernelAccess::probe();
  return access;
}

class PipeHook final : public Hook {
 public:
  [[nodiscard]] std::string_view name() const override { return "pipe"; }
  [[nodiscard]] std::string_view description() const override {
    return "splice into a pipe, BPF on the page cache's pages, nothing copied to user space";
  }
  [[nodiscard]] bool in_kernel() const override { return true; }

  Verdict permitted() override {
    const auto& access = kernel_access();
    if (access.ok()) return Verdict::allow();
    const Error& error = access.error();
    return Verdict::refuse(error.message, error.hint);
  }

  Verdict eligible(const program::Job& job) override {
    std::string reason = lower::bpf::why_not_lowerable(job);
    if (reason.empty()) return Verdict::allow();
    return Verdict::refuse(std::move(reason));
  }

  [[nodiscard]] Cost cost(const Extent& extent, Residency residency,
                          const program::Job& job) const override {
    const uint64_t bytes = extent.end - extent.begin;
    Cost cost = cost_of(rate(name(), residency, job.source->identity.device), bytes);
    cost.bytes_copied = 0;
    cost.device_bytes = residency == Residency::cached ? 0 : bytes;
    return cost;
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    const auto& access = kernel_access();
    if (!access.ok()) return access.error();
    GRAPNEL_TRY(auto program, program_for(job, access->btf_path()));
    return PipeSession::open(std::move(job), std::move(program), access->page_constant());
  }

 private:
  /// The sessions of one job share one program.
  Result<std::shared_ptr<PipeProgram>> program_for(const std::shared_ptr<const program::Job>& job,
                                                   const std::string& btf_path) {
    const std::lock_guard lock(mutex_);
    std::erase_if(programs_, [](const auto& program) { return program.expired(); });
    for (const auto& known : programs_) {
      auto program = known.lock();
      if (program && &program->job() == job.get()) return program;
    }
    GRAPNEL_TRY(auto made, PipeProgram::make(job, btf_path));
    programs_.push_back(made);
    return made;
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<PipeProgram>> programs_;
};

}  // namespace

Hook& pipe_hook() {
  static PipeHook hook;
  return hook;
}

}  // namespace grapnel::hooks
