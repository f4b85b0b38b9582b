// The `block` hook: the session lets the kernel read the file through the page cache; a BPF program
// works on each request when the device has delivered it. See README.md beside this file.
#include "anchor_block_bpf.embed.h"
#include "hooks/block/block_session.h"
#include "hooks/block/device_stack.h"
#include "hooks/block/places.h"
#include "hooks/builtin.h"
#include "hooks/kernel/kernel_hook.h"

namespace grapnel::hooks {
namespace {

class BlockHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "block"; }
  [[nodiscard]] std::string_view description() const override {
    return "reads into the page cache, BPF where the device's requests end: sees nothing cached";
  }
  [[nodiscard]] const kernel::AttachPoints* places() const override { return &block::places(); }
  [[nodiscard]] HookFacts facts() const override {
    return at_place({.uses = "readahead()",
                     .context = "interrupt, on top of any task",
                     .knows_file_by = "each page's address_space",
                     .knows_process_by = "not: whoever asked for the page",
                     .sees_cached = false,
                     .in_interrupts = true,
                     .taxes_others = true,
                     .tax = "each request of a block device: a look at whose page it is"});
  }
  /// It runs in interrupts, on top of whatever the CPU was doing.
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse("computes in interrupts, at the cost of whoever is interrupted",
                           "--hook block");
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program> program) override {
    const auto& access = kernel::KernelAccess::get();
    if (!access.ok()) return access.error();
    GRAPNEL_TRY(const kernel::Anchor anchor,
                anchor_at_point({"gr_watch_file"}, block::kStages * GR_RANGE_LANES));
    GRAPNEL_TRY(auto kernel_program, program_for(job, anchor));
    return block::BlockSession::open(std::move(job), program, std::move(kernel_program),
                                     access->page_constant());
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override { return embedded::anchor_block_bpf(); }
  Verdict suits(const program::Job& job) override { return block::is_plain(*job.source); }
};

}  // namespace

Hook& block_hook() {
  static BlockHook hook;
  return hook;
}

}  // namespace grapnel::hooks
