#include "choose/learn.h"

#include <xxhash.h>

#include <algorithm>
#include <mutex>

#include "hooks/common/rates.h"
#include "lower/cache/object_cache.h"
#include "lower/plan.h"

namespace grapnel::choose {
namespace {

using hooks::HookCounters;
using hooks::Residency;

constexpr std::string_view kRatesKey = "measured rates of hooks, 2";
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

struct Taken {
  double wall_ns;  ///< per byte
  double cpu_ns;   ///< per byte, of all threads
  double from_device;
};

/// Waiting, for the device or for other processes, tells nothing about what is cached: CPU counts.
void observe_cached(const program::Job& job, const program::Program& program,
                    const hooks::Hook& hook, const Taken& taken) {
  const uint64_t shape = op_shape(job);
  if (hook.in_kernel()) {
    hooks::observe_op(hook.name(), shape, taken.cpu_ns);
    return;
  }
  const double io_ns = hooks::rate(hook.name(), Residency::cached, 0).cpu_ns_per_byte;
  hooks::observe_op(program.name(), shape, std::max(taken.cpu_ns - io_ns, 0.01));
}

/// Learns; true if there was something to learn.
bool observe(const program::Job& job, const program::Program& program, const hooks::Hook& hook,
             const Taken& taken, unsigned threads) {
  if (taken.from_device <= 1 - kNearlyAll) {
    observe_cached(job, program, hook, taken);
    return true;
  }
  if (taken.from_device < kNearlyAll) return false;
  double op_ns = 0;
  if (!hook.in_kernel()) {
    // Only where the device was what the scan waited for.
    if (taken.cpu_ns / threads > 0.7 * taken.wall_ns) return false;
    op_ns = hooks::program_rate(program.name()).cpu_ns_per_byte *
            hooks::op_factor(program.name(), op_shape(job));
  }
  hooks::observe_rate(hook.name(), job.source->identity.device, taken.wall_ns,
                      std::max(taken.cpu_ns - op_ns, 0.01));
  return true;
}

}  // namespace

uint64_t op_shape(const program::Job& job) {
  const auto plan = lower::make_plan(job, lower::Target::native);
  if (!plan.ok()) return 0;  // all that only the interpreter does
  const std::string bytes = plan->encode();
  return XXH3_64bits(bytes.data(), bytes.size());
}

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
  const HookCounters& counters = entry->second;
  const auto bytes = static_cast<double>(counters.bytes);
  const Taken taken{wall_seconds * 1e9 / bytes, counters.cpu_seconds * 1e9 / bytes,
                    static_cast<double>(counters.device_bytes) / bytes};
  if (!observe(job, program, *hook, taken, std::max(threads, 1U))) return;
  // Without a directory, or if it cannot be written, this process alone has learnt.
  (void)lower::ObjectCache::open().store(kRatesKey, hooks::measured_rates());
}

}  // namespace grapnel::choose
