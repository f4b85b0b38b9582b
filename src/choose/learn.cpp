#include "choose/learn.h"

#include <sys/utsname.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>
#include <vector>

#include "hooks/common/rates.h"
#include "lower/cache/object_cache.h"
#include "lower/plan.h"

namespace grapnel::choose {
namespace {

using hooks::HookCounters;
using hooks::Residency;

constexpr std::string_view kRatesKey = "measured rates of hooks, 3, grapnel " GRAPNEL_VERSION ", ";
constexpr uint64_t kLeastBytes = 64 << 20;
constexpr double kNearlyAll = 0.95;

/// One hook did nearly everything: the scan's time is its time.
bool one_did_nearly_all(const std::map<std::string, HookCounters>& hooks) {
  uint64_t total = 0;
  uint64_t most = 0;
  for (const auto& [name, counters] : hooks) {
    total += counters.bytes;
    most = std::max(most, counters.bytes);
  }
  return static_cast<double>(most) >= kNearlyAll * static_cast<double>(total);
}

/// A directory may be shared by machines, and kernels differ.
std::string rates_key() {
  utsname name{};
  std::string key(kRatesKey);
  if (uname(&name) == 0) {
    key += std::string(name.nodename) + ", " + name.release + ", " + name.version;
  }
  return key;
}

enum class Work : uint8_t { count, search, sum, group, rows };
constexpr std::array<std::string_view, 5> kWorkNames = {"count", "search", "sum", "group", "rows"};
constexpr std::array<std::string_view, 3> kFormatNames = {"csv", "lines", "fixed"};

bool has_like(const op::Expr& expr) {
  return expr.function == op::Function::like ||
         std::any_of(expr.arguments.begin(), expr.arguments.end(),
                     [](const op::ExprPtr& argument) { return has_like(*argument); });
}

Work work_of(const op::Op& op) {
  if (!op.aggregating) return Work::rows;
  if (!op.keys.empty()) return Work::group;
  if (std::any_of(op.aggregates.begin(), op.aggregates.end(),
                  [](const op::Aggregate& aggregate) { return aggregate.argument != nullptr; })) {
    return Work::sum;
  }
  const bool searches =
      std::any_of(op.filter.begin(), op.filter.end(),
                  [](const op::ExprPtr& conjunct) { return has_like(*conjunct); });
  return searches ? Work::search : Work::count;
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
    hooks::observe_op(hook.name(), shape, taken.cpu_ns, op_class(job));
    return;
  }
  const double io_ns = hooks::rate(hook.name(), Residency::cached, 0).cpu_ns_per_byte;
  hooks::observe_op(program.name(), shape, std::max(taken.cpu_ns - io_ns, 0.01), op_class(job));
}

/// Whether observe() would learn. `alone`: no other hook had a part in the scan's time.
bool teaches(const hooks::Hook& hook, const Taken& taken, bool alone, unsigned threads) {
  if (taken.from_device <= 1 - kNearlyAll) return true;
  if (taken.from_device < kNearlyAll || !alone) return false;
  // Only where the device was what the scan waited for.
  return hook.in_kernel() || taken.cpu_ns / threads <= 0.7 * taken.wall_ns;
}

void observe(const program::Job& job, const program::Program& program, const hooks::Hook& hook,
             const Taken& taken) {
  if (taken.from_device <= 1 - kNearlyAll) {
    observe_cached(job, program, hook, taken);
    return;
  }
  double op_ns = 0;
  if (!hook.in_kernel()) {
    op_ns = hooks::program_rate(program.name()).cpu_ns_per_byte *
            hooks::op_factor(program.name(), op_shape(job), op_class(job));
  }
  hooks::observe_rate(hook.name(), job.source->identity.device, taken.wall_ns,
                      std::max(taken.cpu_ns - op_ns, 0.01));
}

}  // namespace

uint64_t op_shape(const program::Job& job) {
  const auto plan = lower::make_plan(job, lower::Target::native);
  if (!plan.ok()) return 0;  // all that only the interpreter does
  const std::string bytes = plan->encode();
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t op_class(const program::Job& job) {
  const auto format = static_cast<uint64_t>(job.source->layout.format);
  return 1 + format * kWorkNames.size() + static_cast<uint64_t>(work_of(*job.op));
}

std::string op_class_name(uint64_t op_class) {
  if (op_class == 0 || op_class > kFormatNames.size() * kWorkNames.size()) return "?";
  const uint64_t number = op_class - 1;
  return std::string(kFormatNames[number / kWorkNames.size()]) + " " +
         std::string(kWorkNames[number % kWorkNames.size()]);
}

void recall() {
  static std::once_flag once;
  std::call_once(once, [] {
    const lower::ObjectCache cache = lower::ObjectCache::open();
    if (const auto kept = cache.find(rates_key()).object) hooks::restore_rates(*kept);
  });
}

Status remember(const std::function<void()>& change) {
  const lower::ObjectCache cache = lower::ObjectCache::open();
  const UniqueFd lock = cache.lock();
  const std::string key = rates_key();
  if (const auto kept = cache.find(key).object) hooks::restore_rates(*kept);
  change();
  if (!cache.usable()) return Error{ErrorKind::io, cache.problem(), ""};
  return cache.store(key, hooks::measured_rates());
}

std::string memory_path(std::string* problem) {
  const lower::ObjectCache cache = lower::ObjectCache::open();
  *problem = cache.problem();
  return cache.usable() ? cache.path() : "";
}

void learn(const program::Job& job, const program::Program& program,
           const std::map<std::string, HookCounters>& hooks, double wall_seconds,
           unsigned threads) {
  if (wall_seconds <= 0) return;
  std::vector<std::pair<const hooks::Hook*, Taken>> lessons;
  const bool alone = one_did_nearly_all(hooks);
  for (const auto& [name, counters] : hooks) {
    const hooks::Hook* hook = hooks::find_hook(name);
    if (hook == nullptr || counters.bytes < kLeastBytes) continue;
    const auto bytes = static_cast<double>(counters.bytes);
    const Taken taken{wall_seconds * 1e9 / bytes, counters.cpu_seconds * 1e9 / bytes,
                      static_cast<double>(counters.device_bytes) / bytes};
    if (teaches(*hook, taken, alone, std::max(threads, 1U))) lessons.emplace_back(hook, taken);
  }
  if (lessons.empty()) return;
  // Without a directory, or if it cannot be written, this process alone has learnt.
  (void)remember([&] {
    for (const auto& [hook, taken] : lessons) observe(job, program, *hook, taken);
  });
}

}  // namespace grapnel::choose
