// The `pagecache` hook: splice(file -> pipe -> /dev/null), and a BPF program that works on the
// pages of the page cache where the kernel has got them for that read. See README.md beside this
// file.
#include <linux/magic.h>
#include <sys/vfs.h>

#include <utility>

#include "anchor_pagecache_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/kernel/target_guard.h"
#include "hooks/pagecache/pagecache_session.h"
#include "hooks/pagecache/places.h"

namespace grapnel::hooks {
namespace {

class PageCacheHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "pagecache"; }
  [[nodiscard]] std::string_view description() const override {
    return "BPF where the kernel gets pages of the page cache for a read, nothing copied to user "
           "space";
  }
  [[nodiscard]] const kernel::AttachPoints* places() const override { return &pagecache::places(); }
  [[nodiscard]] HookFacts facts() const override {
    return at_place({.uses = "splice() to /dev/null",
                     .context = "task, inside the kernel's read",
                     .knows_file_by = "its address_space",
                     .knows_process_by = "the thread that drives the session",
                     .taxes_others = true,
                     .tax = "each buffered read: a look at whose thread it is"});
  }
  /// While it is attached, every read of the machine is a little slower.
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse(
        "slows down every buffered read of the machine while it runs, and 'pipe' does not",
        "--hook pagecache");
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    GRAPNEL_TRY(const kernel::Anchor anchor, anchor_at_point({kernel::kArmProgram}));
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    return pagecache::PageCacheSession::open(std::move(job), std::move(program));
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override {
    return embedded::anchor_pagecache_bpf();
  }

  /// What reads another way in spite of its looks is found out by the first read, in words.
  Verdict suits(const program::Job& job) override {
    struct statfs about{};
    if (fstatfs(job.source->file.get(), &about) != 0) return kernel::can_splice(*job.source);
    if (about.f_type == TMPFS_MAGIC)
      return Verdict::refuse("tmpfs does not read through filemap_get_pages()", "--hook pipe");
    if (about.f_type == OVERLAYFS_SUPER_MAGIC)
      return Verdict::refuse("overlayfs keeps its pages with another file, below", "--hook pipe");
    return kernel::can_splice(*job.source);
  }
};

}  // namespace

Hook& pagecache_hook() {
  static PageCacheHook hook;
  return hook;
}

}  // namespace grapnel::hooks
