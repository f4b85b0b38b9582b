// The `pipe` hook: splice(file -> pipe), a BPF program of type syscall works on the pipe's pages
// where they lie, splice on to /dev/null. The data is never copied to user space; only the result
// comes back.
#include "anchor_pipe_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/pipe/pipe_session.h"

namespace grapnel::hooks {
namespace {

class PipeHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "pipe"; }
  [[nodiscard]] std::string_view description() const override {
    return "splice into a pipe, BPF on the page cache's pages, nothing copied to user space";
  }
  [[nodiscard]] std::string attach_point() const override {
    return "program of type syscall (exact, pinned by the pipe)";
  }
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "splice(), BPF_PROG_RUN",
            .kind = PlaceKind::helper,
            .since = "5.17",
            .foundation = Foundation::program_type,
            .context = "task, in a system call of its own",
            .knows_file_by = "the pipe is the session's own",
            .knows_process_by = "run by the session itself",
            .tax = "none: nothing is attached"};
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    const auto& access = kernel::KernelAccess::get();
    if (!access.ok()) return access.error();
    const kernel::Anchor anchor{name(), bitcode(), pipe::kEntry, {}, {}};
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    return pipe::PipeSession::open(std::move(job), std::move(program), access->page_constant());
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override { return embedded::anchor_pipe_bpf(); }
  /// Programs of type syscall are all it needs; finding the page constant has run one.
  Verdict probe(const kernel::KernelAccess&) override { return Verdict::allow(); }
  Verdict suits(const program::Job& job) override { return kernel::can_splice(*job.source); }
};

}  // namespace

Hook& pipe_hook() {
  static PipeHook hook;
  return hook;
}

}  // namespace grapnel::hooks
