// One worker of a scan: its hook sessions, and the fallback from one hook to the next.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "base/cancel.h"
#include "scan/scan.h"
#include "scan/sequencer.h"

namespace grapnel::scan {

/// Used by one thread only.
class Worker {
 public:
  Worker(const Plan& plan, const CancelToken& cancel);

  /// Drives the extent by the hook that the plan chooses, or by the first of its fallbacks that
  /// can. `next`, if given, is announced to hooks that read ahead.
  Driven drive(hooks::Extent extent, const std::optional<hooks::Extent>& next);

  /// True if the hook that drove last reads ahead, so that it is worth knowing the next extent.
  [[nodiscard]] bool reads_ahead() const { return reads_ahead_; }

  /// Ends the sessions. To be called by the thread that drove them: rings belong to their thread.
  void close() { sessions_.clear(); }

  /// Adds a proven partial to this worker's share of the result.
  Status merge(state::Partial&& partial);

  /// Extents that hooks handed back, and the time that they took.
  std::map<std::string, hooks::HookCounters> failures;
  /// Merged partials of this worker.
  state::Partial share;

 private:
  Result<hooks::Session*> session(hooks::Hook& hook);
  void observe(const Driven& driven, double wall_seconds) const;

  const Plan& plan_;
  const CancelToken& cancel_;
  std::map<const hooks::Hook*, Result<std::unique_ptr<hooks::Session>>> sessions_;
  bool reads_ahead_ = false;
};

}  // namespace grapnel::scan
