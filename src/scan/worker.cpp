#include "scan/worker.h"

#include <utility>
#include <vector>

#include "hooks/common/thread_clock.h"
#include "scan/extents.h"
#include "source/locate.h"

namespace grapnel::scan {

Worker::Worker(const Plan& plan, const CancelToken& cancel)
    : share(plan.job->make_partial()), plan_(plan), cancel_(cancel) {}

// A hook that could not be opened is not tried again for each extent.
Result<hooks::Session*> Worker::session(hooks::Hook& hook) {
  auto known = sessions_.find(&hook);
  if (known == sessions_.end()) {
    known = sessions_.emplace(&hook, hook.open(plan_.job, plan_.program)).first;
  }
  if (!known->second.ok()) return known->second.error();
  return known->second.value().get();
}

Driven Worker::drive(hooks::Extent extent, const std::optional<hooks::Extent>& next) {
  const HookChoice choice = plan_.choose(extent);
  extent.residency = choice.residency;
  std::vector<hooks::Hook*> candidates = {choice.first};
  candidates.insert(candidates.end(), choice.fallbacks.begin(), choice.fallbacks.end());
  std::optional<Error> first_refusal;
  // Errors under a guess are thrown away (Stitcher::take).
  std::optional<source::NoLineNumbers> nobody_sees_them;
  if (is_guess(extent, plan_.job->source->layout)) nobody_sees_them.emplace();
  for (hooks::Hook* hook : candidates) {
    const double cpu_before = hooks::thread_cpu_seconds();
    auto opened = session(*hook);
    if (opened.ok()) {
      hooks::Session& session = **opened;
      reads_ahead_ = session.wants_announcement();
      if (next && reads_ahead_) session.announce(*next);
      const double begin = hooks::wall_clock_seconds();
      Driven driven{extent, session.drive(extent, cancel_), hook};
      if (driven.result.ok()) observe(driven, hooks::wall_clock_seconds() - begin);
      if (driven.result.ok() || driven.result.error().kind != ErrorKind::hook) return driven;
      opened = std::move(driven.result).error();
    } else if (opened.error().kind != ErrorKind::hook &&
               opened.error().kind != ErrorKind::permission) {
      return {extent, std::move(opened).error(), hook};
    }
    hooks::HookCounters& failed = failures[std::string(hook->name())];
    failed.failed_extents++;
    failed.cpu_seconds += hooks::thread_cpu_seconds() - cpu_before;
    if (!first_refusal) first_refusal = std::move(opened).error();
  }
  Error error = std::move(*first_refusal);
  error.kind = ErrorKind::hook;
  error.message = "hook " + std::string(choice.first->name()) + ": " + error.message;
  if (choice.fallbacks.empty() && error.hint.empty()) {
    error.hint = "--hook " + std::string(choice.first->name()) +
                 ",any lets other hooks take over what it cannot do";
  }
  return {extent, std::move(error), choice.first};
}

void Worker::observe(const Driven& driven, double wall_seconds) const {
  if (!plan_.observe) return;
  const hooks::HookCounters& counters = driven.result->counters;
  plan_.observe({driven.hook, driven.extent.end - driven.extent.begin, counters.device_bytes,
                 wall_seconds, counters.cpu_seconds});
}

Status Worker::merge(state::Partial&& partial) {
  if (share.groups.size() < partial.groups.size()) std::swap(share, partial);
  return share.merge(std::move(partial));
}

}  // namespace grapnel::scan
