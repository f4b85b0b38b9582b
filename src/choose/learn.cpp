#include "choose/learn.h"

#include <algorithm>
#include <mutex>

#include "hooks/common/rates.h"
#include "lower/cache/object_cache.h"

namespace grapnel::choose {
namespace {

using hooks::HookCounters;
using hooks::Residency;

constexpr std::string_view kRatesKey = "measured rates of hooks, 1";
constexpr uint64_t kLeastBytes = 64 << 20;
constexpr double kNearlyAll = 0.95;

/// One hook that did nearly everything, if there is one.
const std::pair<const std::string, HookCounters>* only_hook(
    const std::map<std::string, HookCounters>& hooks) {
  uint64_t total = 0;
  for (const auto& [name, counters] : hooks) total += counters.bytes;
  for (const auto& entry : hooks) {
    const auto bytes = static_cast<double>(entry.second.bytes);
    if (entry.second.bytes >= kLeastBytes && bytes >= kNearlyAll * static_cast<double>(total)) {
      return &entry;
    }
  }
  return nullptr;
}

/// Learns; true if there was something to learn.
bool observe(const program::Job& job, const program::Program& program, const hooks::Hook& hook,
             const HookCounters& counters, double wall_seconds, unsigned threads) {
  const auto bytes = static_cast<double>(counters.bytes);
  const double wall_ns = wall_seconds * 1e9 / bytes;
  const double cpu_ns = counters.cpu_seconds * 1e9 / bytes;
  const double from_device = static_cast<double>(counters.device_bytes) / bytes;
  const double cpu_share = cpu_ns / threads / wall_ns;
  const uint64_t device = job.source->identity.device;
  const Residency residency = from_device >= kNearlyAll ? Residency::uncached : Residency::cached;
  if (residency == Residency::cached && from_device > 1 - kNearlyAll) return false;
  if (hook.in_kernel()) {
    // Waiting, for the device or for other processes, tells nothing about what is cached.
    if (residency == Residency::cached) {
      hooks::observe_rate(hook.name(), residency, device, cpu_ns, cpu_ns);
    } else {
      hooks::observe_rate(hook.name(), residency, device, wall_ns, cpu_ns);
    }
    return true;
  }
  const double io_ns = hooks::rate(hook.name(), residency, device).cpu_ns_per_byte;
  if (residency == Residency::cached) {
    hooks::observe_program(program.name(), std::max(cpu_ns - io_ns, 0.01));
    return true;
  }
  // Only where the device was what the scan waited for.
  if (cpu_share > 0.7) return false;
  const double program_ns = hooks::program_rate(program.name()).cpu_ns_per_byte;
  hooks::observe_rate(hook.name(), residency, device, wall_ns, std::max(cpu_ns - program_ns, 0.01));
  return true;
}

}  // namespace

void recall() {
  static std::once_flag once;
  std::call_once(once, [] {
    const lower::ObjectCache cache = lower::ObjectCache::open();
    if (const auto kept = cache.find(kRatesKey).object) hooks::restore_rates(*kept);
  });
}

void learn(const program::Job& job, const program::Program& program,
           const std::map<std::string, HookCounters>& hooks, double wall_seconds,
           unsigned threads) {
  const auto* entry = only_hook(hooks);
  if (entry == nullptr || wall_seconds <= 0) return;
  const hooks::Hook* hook = hooks::find_hook(entry->first);
  if (hook == nullptr) return;
  if (!observe(job, program, *hook, entry->second, wall_seconds, std::max(threads, 1U))) return;
  // Without a directory, or if it cannot be written, this process alone has learnt.
  (void)lower::ObjectCache::open().store(kRatesKey, hooks::measured_rates());
}

}  // namespace grapnel::choose
