#include "hooks/common/rates.h"

#include <array>
#include <mutex>

namespace grapnel::hooks {
namespace {

struct Entry {
  std::string_view hook;
  Rate cached;
  Rate uncached;
};

// Measured on a two-core virtual machine with a 2 GB/s disk. Ratios carry over to other machines,
// absolute values less; observe_rate() corrects them. "pipe" includes the op, the others do not.
std::array<Entry, 4> rates = {{
    {"read", {0.05, 0.05, false}, {1.25, 0.85, false}},
    {"mmap", {0.08, 0.08, false}, {1.40, 0.95, false}},
    {"direct", {0.50, 0.03, false}, {0.50, 0.03, false}},
    {"pipe", {0.42, 0.42, false}, {1.50, 1.20, false}},
}};
std::mutex rates_mutex;

constexpr Rate kUnknownHook{1.0, 1.0, false};
constexpr uint64_t kLeastObservedBytes = 4 << 20;
constexpr double kWeightOfNew = 0.3;

Entry* find_entry(std::string_view hook) {
  for (Entry& entry : rates) {
    if (entry.hook == hook) return &entry;
  }
  return nullptr;
}

double blend(double old_value, double new_value, bool first) {
  return first ? new_value : old_value + kWeightOfNew * (new_value - old_value);
}

}  // namespace

Rate rate(std::string_view hook, Residency residency) {
  const std::lock_guard lock(rates_mutex);
  const Entry* entry = find_entry(hook);
  if (entry == nullptr) return kUnknownHook;
  switch (residency) {
    case Residency::cached:
      return entry->cached;
    case Residency::uncached:
      return entry->uncached;
    case Residency::unknown:
    case Residency::mixed:
      break;
  }
  return {(entry->cached.wall_ns_per_byte + entry->uncached.wall_ns_per_byte) / 2,
          (entry->cached.cpu_ns_per_byte + entry->uncached.cpu_ns_per_byte) / 2,
          entry->cached.measured && entry->uncached.measured};
}

void observe_rate(std::string_view hook, Residency residency, uint64_t bytes, double wall_seconds,
                  double cpu_seconds) {
  if (bytes < kLeastObservedBytes) return;
  if (residency != Residency::cached && residency != Residency::uncached) return;
  const std::lock_guard lock(rates_mutex);
  Entry* entry = find_entry(hook);
  if (entry == nullptr) return;
  Rate& seen = residency == Residency::cached ? entry->cached : entry->uncached;
  const auto size = static_cast<double>(bytes);
  seen.wall_ns_per_byte = blend(seen.wall_ns_per_byte, wall_seconds * 1e9 / size, !seen.measured);
  seen.cpu_ns_per_byte = blend(seen.cpu_ns_per_byte, cpu_seconds * 1e9 / size, !seen.measured);
  seen.measured = true;
}

Cost cost_of(const Rate& rate, uint64_t bytes) {
  Cost cost;
  cost.wall_seconds = rate.wall_ns_per_byte * static_cast<double>(bytes) * 1e-9;
  cost.cpu_seconds = rate.cpu_ns_per_byte * static_cast<double>(bytes) * 1e-9;
  return cost;
}

}  // namespace grapnel::hooks
