#include "choose/limits.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "hooks/common/page_cache.h"

namespace grapnel::choose {

using hooks::Verdict;

WholeFile look_at_whole_file(const source::Source& source) {
  const hooks::PageCacheProbe probe(source.file.get());
  if (probe.method() != hooks::PageCacheProbe::Method::cachestat) return WholeFile::unknown;
  if (source.data_begin >= source.data_end) return WholeFile::cached;
  const auto share = probe.cached_share(source.data_begin, source.data_end);
  if (!share) return WholeFile::unknown;
  return *share >= 1 ? WholeFile::cached : WholeFile::not_cached;
}

Verdict allowed(const hooks::Hook& hook, const UserLimits& limits, WholeFile file) {
  const hooks::HookFacts facts = hook.facts();
  if (limits.no_kernel && hook.in_kernel()) {
    return Verdict::refuse("ruled out by --no-kernel: its program runs in the kernel");
  }
  if (limits.max_cpus > 0 && facts.in_interrupts) {
    return Verdict::refuse("ruled out by --max-cpu: in interrupts nobody holds it back");
  }
  if (!limits.polite || !facts.fills_cache || file == WholeFile::cached) return Verdict::allow();
  if (!facts.sees_cached) {
    return Verdict::refuse("ruled out by --polite: it works only by filling the page cache");
  }
  if (file == WholeFile::unknown) {
    return Verdict::refuse(
        "ruled out by --polite: it may fill the page cache, and what is cached is not known",
        "be the file's owner or have the right to write it; Linux 6.5 or newer");
  }
  return Verdict::allow();
}

bool leaves_cache_alone(const hooks::Hook& hook, std::optional<double> cached_share) {
  return !hook.facts().fills_cache || (cached_share && *cached_share >= 1);
}

ThreadLimit limit_threads(unsigned threads, double max_cpus) {
  threads = std::max(threads, 1U);
  if (max_cpus <= 0 || max_cpus >= threads) return {threads, 1};
  const auto fewer = static_cast<unsigned>(std::ceil(max_cpus));
  return {std::max(fewer, 1U), std::min(1.0, max_cpus / std::max(fewer, 1U))};
}

}  // namespace grapnel::choose
