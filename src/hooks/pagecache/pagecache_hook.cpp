// The `pagecache` hook: splice(file -> pipe -> /dev/null), and a BPF program that works on the
// pages of the page cache where the kernel has got them for that read. See README.md beside this
// file.
#include <linux/magic.h>
#include <sys/vfs.h>

#include <atomic>
#include <string>
#include <utility>

#include "anchor_pagecache_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/pagecache/attach_point.h"
#include "hooks/pagecache/pagecache_session.h"

namespace grapnel::hooks {
namespace {

class PageCacheHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "pagecache"; }
  [[nodiscard]] std::string_view description() const override {
    return "BPF where the kernel gets pages of the page cache for a read, nothing copied to user "
           "space";
  }
  [[nodiscard]] std::string attach_point() const override {
    const auto* point = point_.load();
    return point == nullptr ? "" : std::string(point->text);
  }
  /// While it is attached, every read of the machine is a little slower.
  [[nodiscard]] Verdict by_default() const override {
    return Verdict::refuse(
        "slows down every buffered read of the machine while it runs, and 'pipe' does not",
        "--hook pagecache");
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    const auto* point = point_.load();
    if (point == nullptr)
      return Error{ErrorKind::hook, "the hook 'pagecache' is not permitted here", ""};
    kernel::Anchor anchor{name(), bitcode(), std::string(point->entry), {}, {}};
    anchor.attached.assign(point->programs.begin(), point->programs.end());
    anchor.loaded = {kernel::kArmProgram};
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    return pagecache::PageCacheSession::open(std::move(job), std::move(program));
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override {
    return embedded::anchor_pagecache_bpf();
  }
  Verdict probe(const kernel::KernelAccess&) override {
    const auto found = pagecache::find_attach_point();
    if (!found.ok()) return Verdict::refuse(found.error().message, found.error().hint);
    point_ = *found;
    return Verdict::allow();
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

 private:
  std::atomic<const pagecache::AttachPoint*> point_ = nullptr;
};

}  // namespace

Hook& pagecache_hook() {
  static PageCacheHook hook;
  return hook;
}

}  // namespace grapnel::hooks
