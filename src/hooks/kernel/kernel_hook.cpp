#include "hooks/kernel/kernel_hook.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "hooks/common/rates.h"
#include "hooks/kernel/pipe_pair.h"
#include "lower/plugin/client.h"

namespace grapnel::hooks::kernel {

Verdict KernelHook::permitted() {
  const auto& access = KernelAccess::get();
  if (!access.ok()) return Verdict::refuse(access.error().message, access.error().hint);
  std::call_once(probed_, [&] { probe_verdict_ = probe(*access); });
  return probe_verdict_;
}

Verdict KernelHook::eligible(const program::Job& job) {
  if (std::string reason = lower::bpf::why_not_lowerable(job); !reason.empty())
    return Verdict::refuse(std::move(reason));
  if (const Status compiler = lower::plugin::find_compiler();
      !compiler.ok() && !lower::bpf::is_compiled(job, bitcode()))
    return Verdict::refuse(compiler.error().message, compiler.error().hint);
  return suits(job);
}

Cost KernelHook::cost(const Extent& extent, Residency residency, const program::Job& job) const {
  const uint64_t bytes = extent.end - extent.begin;
  Cost cost = cost_of(rate(name(), residency, job.source->identity.device), bytes);
  cost.bytes_copied = 0;
  cost.device_bytes = residency == Residency::cached ? 0 : bytes;
  return cost;
}

std::string KernelHook::attach_point() const {
  const AttachPoint* used = point();
  return used == nullptr ? "" : used->text();
}

HookFacts KernelHook::at_place(HookFacts facts) const {
  const AttachPoint* const used = point();
  const AttachPoint& place = used != nullptr ? *used : places()->points.front();
  facts.kind = place.kind;
  facts.foundation = place.foundation;
  facts.since = place.since;
  facts.exact = place.exact;
  facts.pinned = place.pinned;
  return facts;
}

Verdict KernelHook::probe(const KernelAccess& access) {
  if (places() == nullptr) return Verdict::allow();
  const auto found = find_attach_point(*places(), access.btf_path());
  if (!found.ok()) return Verdict::refuse(found.error().message, found.error().hint);
  point_ = *found;
  return Verdict::allow();
}

Result<Anchor> KernelHook::anchor_at_point(std::vector<std::string> loaded,
                                           uint32_t places_per_session) const {
  const AttachPoint* used = point();
  if (used == nullptr) {
    return Error{ErrorKind::hook, "the hook '" + std::string(name()) + "' is not permitted here",
                 ""};
  }
  return Anchor{name(),
                bitcode(),
                std::string(used->programs.front()),
                {used->programs.begin(), used->programs.end()},
                std::move(loaded),
                places_per_session};
}

Result<std::shared_ptr<KernelProgram>> KernelHook::program_for(
    const std::shared_ptr<const program::Job>& job, const Anchor& anchor) {
  const auto& access = KernelAccess::get();
  if (!access.ok()) return access.error();
  return shelf_.program_for(job, anchor, access->btf_path());
}

Verdict can_splice(const source::Source& source) {
  const auto pipe = PipePair::open(4096);
  if (!pipe.ok()) return Verdict::refuse(pipe.error().message);
  auto end = static_cast<loff_t>(source.data_end);  // nothing is read there
  const ssize_t got =
      splice(source.file.get(), &end, pipe->write_end(), nullptr, 1, SPLICE_F_NONBLOCK);
  if (got >= 0 || errno != EINVAL) return Verdict::allow();
  return Verdict::refuse("the file system of " + source.path + " does not support splice",
                         "use a hook in user space");
}

}  // namespace grapnel::hooks::kernel
