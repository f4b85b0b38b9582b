#include "hooks/common/rates.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>

namespace grapnel::hooks {
namespace {

struct Default {
  std::string_view what;
  Rate cached;
  Rate uncached;
};

// Measured on a two-core virtual machine with a 2 GB/s disk. Ratios carry over to other machines,
// absolute values less; observations correct them. Hooks in the kernel include the op, the other
// hooks do not.
constexpr Default kDefaults[] = {
    {"read", {0.06, 0.06, false}, {1.25, 0.85, false}},
    {"mmap", {0.08, 0.08, false}, {1.40, 0.95, false}},
    {"direct", {0.50, 0.03, false}, {0.50, 0.03, false}},
    {"pipe", {0.42, 0.42, false}, {1.50, 1.20, false}},
    {"pagecache", {0.44, 0.44, false}, {1.50, 1.20, false}},
    {"sendfile", {0.55, 0.55, false}, {1.60, 1.30, false}},
    {"syscall", {0.60, 0.60, false}, {1.70, 1.40, false}},
    {"block", {0.60, 0.60, false}, {1.30, 0.80, false}},
    {"native", {0.25, 0.25, false}, {0.25, 0.25, false}},
    {"interpreter", {30, 30, false}, {30, 30, false}},
};
constexpr Rate kUnknown{1, 1, false};

constexpr double kWeightOfNew = 1.0 / 3;
constexpr double kFurthest = 4;
constexpr double kFurthestOfOps = 16;
constexpr int64_t kOldestSeconds = 24 * 3600;
constexpr size_t kMostMeasured = 256;

/// "read uncached 2049" (a device), "native cached 13417836" (the shape of an op).
struct Key {
  std::string what;
  bool cached;
  uint64_t where;  ///< not cached: the device; cached: the op's shape, 0 for hooks in user space
  auto operator<=>(const Key&) const = default;
};

struct Measured {
  double wall_ns;
  double cpu_ns;
  int64_t at_seconds;
};

class Rates {
 public:
  Rate get(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (key.cached) return default_of(key);
    const auto found = measured_.find(key);
    if (found != measured_.end()) return {found->second.wall_ns, found->second.cpu_ns, true};
    Rate rate = default_of(key);
    rate.wall_ns_per_byte *= device_factor(key.where);
    return rate;
  }

  double op_factor(const Key& key) {
    const std::lock_guard lock(mutex_);
    double sum = 0;
    int count = 0;
    for (const auto& [known, value] : measured_) {
      if (!known.cached || known.where != key.where) continue;
      const double factor = value.cpu_ns / default_of(known).cpu_ns_per_byte;
      if (known == key) return factor;
      sum += factor;
      count++;
    }
    return count == 0 ? 1 : sum / count;
  }

  void observe(Key key, double wall_ns, double cpu_ns) {
    if (!std::isfinite(wall_ns) || !std::isfinite(cpu_ns)) return;
    const std::lock_guard lock(mutex_);
    const Rate before = default_of(key);
    const auto found = measured_.find(key);
    Measured known{before.wall_ns_per_byte, before.cpu_ns_per_byte, 0};
    if (found != measured_.end()) {
      known = found->second;
    } else if (key.cached) {
      known = {wall_ns, cpu_ns, 0};
    }
    put(std::move(key), {known.wall_ns + kWeightOfNew * (wall_ns - known.wall_ns),
                         known.cpu_ns + kWeightOfNew * (cpu_ns - known.cpu_ns), time(nullptr)});
  }

  std::string text() {
    const std::lock_guard lock(mutex_);
    std::ostringstream out;
    for (const auto& [key, value] : measured_) {
      out << key.what << ' ' << key.cached << ' ' << key.where << ' ' << value.wall_ns << ' '
          << value.cpu_ns << ' ' << value.at_seconds << '\n';
    }
    return out.str();
  }

  void restore(std::string_view text) {
    const std::lock_guard lock(mutex_);
    std::istringstream lines{std::string(text)};
    const int64_t now = time(nullptr);
    Key key;
    Measured value{};
    while (lines >> key.what >> key.cached >> key.where >> value.wall_ns >> value.cpu_ns >>
           value.at_seconds) {
      if (value.at_seconds <= now && now - value.at_seconds < kOldestSeconds) put(key, value);
    }
  }

 private:
  // How much slower a device is than the defaults say, by the hooks that were measured on it: else
  // a hook that was measured on a slow device would lose against one that was not.
  double device_factor(uint64_t device) const {
    double sum = 0;
    int count = 0;
    for (const auto& [key, value] : measured_) {
      if (key.cached || key.where != device) continue;
      sum += value.wall_ns / default_of(key).wall_ns_per_byte;
      count++;
    }
    return count == 0 ? 1 : sum / count;
  }

  static Rate default_of(const Key& key) {
    for (const Default& known : kDefaults) {
      if (known.what == key.what) return key.cached ? known.cached : known.uncached;
    }
    return kUnknown;
  }

  void put(Key key, Measured value) {
    const Rate usual = default_of(key);
    const double furthest = key.cached ? kFurthestOfOps : kFurthest;
    const auto bounded = [furthest](double seen, double usual_value) {
      return std::clamp(seen, usual_value / furthest, usual_value * furthest);
    };
    value.wall_ns = bounded(value.wall_ns, usual.wall_ns_per_byte);
    value.cpu_ns = bounded(value.cpu_ns, usual.cpu_ns_per_byte);
    if (measured_.size() >= kMostMeasured && !measured_.contains(key)) forget_oldest();
    measured_[std::move(key)] = value;
  }

  void forget_oldest() {
    const auto older = [](const auto& a, const auto& b) {
      return a.second.at_seconds < b.second.at_seconds;
    };
    measured_.erase(std::min_element(measured_.begin(), measured_.end(), older));
  }

  std::mutex mutex_;
  std::map<Key, Measured> measured_;
};

Rates& rates() {
  static Rates all;
  return all;
}

/// Programs of one kind cost about the same: "native avx512" is "native".
std::string kind_of(std::string_view program) {
  return std::string(program.substr(0, program.find(' ')));
}

}  // namespace

Rate rate(std::string_view hook, Residency residency, uint64_t device) {
  const Rate cached = rates().get({std::string(hook), true, 0});
  if (residency == Residency::cached) return cached;
  const Rate uncached = rates().get({std::string(hook), false, device});
  if (residency == Residency::uncached) return uncached;
  return {(cached.wall_ns_per_byte + uncached.wall_ns_per_byte) / 2,
          (cached.cpu_ns_per_byte + uncached.cpu_ns_per_byte) / 2,
          cached.measured && uncached.measured};
}

Rate program_rate(std::string_view program) { return rates().get({kind_of(program), true, 0}); }

void observe_rate(std::string_view hook, uint64_t device, double wall_ns_per_byte,
                  double cpu_ns_per_byte) {
  rates().observe({std::string(hook), false, device}, wall_ns_per_byte, cpu_ns_per_byte);
}

double op_factor(std::string_view computer, uint64_t shape) {
  return rates().op_factor({kind_of(computer), true, shape});
}

void observe_op(std::string_view computer, uint64_t shape, double cpu_ns_per_byte) {
  rates().observe({kind_of(computer), true, shape}, cpu_ns_per_byte, cpu_ns_per_byte);
}

std::string measured_rates() { return rates().text(); }

void restore_rates(std::string_view text) { rates().restore(text); }

Cost cost_of(const Rate& rate, uint64_t bytes) {
  Cost cost;
  cost.wall_seconds = rate.wall_ns_per_byte * static_cast<double>(bytes) * 1e-9;
  cost.cpu_seconds = rate.cpu_ns_per_byte * static_cast<double>(bytes) * 1e-9;
  return cost;
}

}  // namespace grapnel::hooks
