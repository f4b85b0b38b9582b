// The `filedynptr` hook: the session calls ioctl(); a BPF program at the security hook of that call
// reads the file's bytes by a dynptr and works on them. See README.md beside this file.
#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <string>
#include <utility>

#include "anchor_filedynptr_bpf.embed.h"
#include "filedynptr_first_look_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/filedynptr/filedynptr.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/kernel/ordered_session.h"
#include "hooks/kernel/target_guard.h"

namespace grapnel::hooks {
namespace {

/// Any request would do; this one is answered for every file.
void call_ioctl(int file) {
  int unused = 0;
  (void)ioctl(file, FIONREAD, &unused);
}

/// No if programs at security hooks are attached, but never run.
Verdict is_run(const lower::bpf::Object& looks) {
  const auto runs = looks.map("gr_runs");
  if (!runs.ok()) return Verdict::refuse(runs.error().message);
  const UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  call_ioctl(file.get());
  if (runs->element<volatile uint64_t>(0) > 0) return Verdict::allow();
  return Verdict::refuse("BPF is not among the security modules that this kernel runs",
                         "boot with bpf in the list after lsm=");
}

const kernel::AttachPoints& all_places() {
  static const kernel::AttachPoints places{
      "place where a program may read the file that it is given",
      embedded::filedynptr_first_look_bpf(),
      {{.section = "lsm.s/file_ioctl",
        .known = "exact, pinned while copied",
        .programs = {"gr_filedynptr"},
        .foundation = Foundation::program_type,
        .since = "6.19",
        .calls = "bpf_dynptr_from_file",
        .trial = is_run}}};
  return places;
}

class FileDynptrSession final : public kernel::OrderedSession {
 public:
  FileDynptrSession(std::shared_ptr<const program::Job> job,
                    std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place)
      : OrderedSession(std::move(job), std::move(program), std::move(place)) {}

 private:
  Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult&) override {
    GRAPNEL_CHECK(arm());
    const size_t wanted = std::min<size_t>(bytes, GR_FILE_BUFFER_BYTES);
    read_ahead(offset, wanted, bytes);
    const gr_worker& worker = place().worker();
    const Limit limit(*this, offset + wanted);
    call_ioctl(job().source->file.get());
    const uint64_t seen = worker.file_offset - offset;
    if (seen > 0 || worker.status != GR_STATUS_OK) return seen;
    return hook_error("the program at ioctl() was not run for byte " + std::to_string(offset),
                      "use another hook");
  }

  /// The kernel would read page by page. Asks for `ahead` bytes where not even the next `wanted`
  /// have been asked for.
  void read_ahead(uint64_t offset, size_t wanted, size_t ahead) {
    if (offset >= ahead_begin_ && offset + wanted <= ahead_end_) return;
    (void)readahead(job().source->file.get(), static_cast<off64_t>(offset), ahead);
    ahead_begin_ = offset;
    ahead_end_ = offset + ahead;
  }

  uint64_t ahead_begin_ = 0;  ///< what was asked for last
  uint64_t ahead_end_ = 0;
};

class FileDynptrHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "filedynptr"; }
  [[nodiscard]] std::string_view description() const override {
    return "BPF at ioctl() reads the file by a dynptr: no knowledge of pages, and a copy";
  }
  [[nodiscard]] const kernel::AttachPoints* places() const override { return &all_places(); }
  [[nodiscard]] HookFacts facts() const override {
    return at_place({.uses = "ioctl(), readahead()",
                     .context = "task, in ioctl(); may sleep",
                     .knows_file_by = "its address_space",
                     .knows_process_by = "the thread that drives the session",
                     .taxes_others = true,
                     .tax = "each ioctl(): a look at whose thread it is"});
  }
  /// While it is attached, every ioctl() of the machine is a little slower.
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse("slows down every ioctl() of the machine while it runs",
                           "--hook filedynptr");
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    GRAPNEL_TRY(const kernel::Anchor anchor, anchor_at_point({kernel::kArmProgram}));
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
    return std::unique_ptr<Session>(
        new FileDynptrSession(std::move(job), std::move(program), std::move(place)));
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override {
    return embedded::anchor_filedynptr_bpf();
  }
  Verdict suits(const program::Job&) override { return Verdict::allow(); }
};

}  // namespace

Hook& filedynptr_hook() {
  static FileDynptrHook hook;
  return hook;
}

}  // namespace grapnel::hooks
