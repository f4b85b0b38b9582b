// One worker of the block hook.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "hooks/block/gap_reader.h"
#include "hooks/block/lanes.h"
#include "hooks/block/read_ahead.h"
#include "hooks/common/page_cache.h"
#include "hooks/kernel/kernel_program.h"

namespace grapnel::hooks::block {

/// Extents that a session watches at the same time: the one that is driven, and the next one, so
/// that the device always has something to do.
inline constexpr size_t kStages = 2;

/// Reads an extent through the page cache in small requests, a few at a time; the programs in the
/// kernel compute each one when it has been read. What they did not see, because it was cached, or
/// did not do, the user-space program does afterwards.
class BlockSession final : public Session {
 public:
  /// Errors: hook, permission, system, limit.
  static Result<std::unique_ptr<Session>> open(
      std::shared_ptr<const program::Job> job,
      const std::shared_ptr<const program::Program>& program,
      std::shared_ptr<kernel::KernelProgram> kernel, uint64_t page_constant);

  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) override;
  [[nodiscard]] bool wants_announcement() const override { return true; }
  void announce(const Extent& next) override { announced_ = next; }

 private:
  /// An extent that is watched, if `requests` is there.
  struct Stage {
    Lanes lanes;
    Extent extent;
    std::optional<ReadAhead> requests;
  };

  BlockSession(std::shared_ptr<const program::Job> job,
               std::shared_ptr<kernel::KernelProgram> kernel, QuietFile file, GapReader gaps,
               std::array<Stage, kStages> stages);

  /// The stage that watches the extent; a free one begins with it. ErrorKind::hook if all of it is
  /// cached.
  Result<Stage*> stage_for(const Extent& extent);
  Status begin(Stage& stage, const Extent& extent);
  void abandon(Stage& stage);
  /// Sends requests as long as there may be more of them: first for `stage`, then for what was
  /// announced.
  void send_requests(Stage& stage, RequestSeparator& separator);
  Status read(Stage& stage, const CancelToken& cancel);
  Status compute(Stage& stage, ExtentResult& result);

  std::shared_ptr<const program::Job> job_;
  std::shared_ptr<kernel::KernelProgram> kernel_;
  QuietFile file_;
  PageCacheProbe page_cache_;
  uint64_t request_bytes_;
  kernel::HandedOutRecords exact_;
  GapReader gaps_;
  std::array<Stage, kStages> stages_;
  std::optional<Extent> announced_;
  bool has_seen_ = false;  ///< anything of any extent came by
};

}  // namespace grapnel::hooks::block
