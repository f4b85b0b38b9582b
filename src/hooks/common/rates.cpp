#include "hooks/common/rates.h"

#include <time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
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
  double setup_seconds;
};

// Measured on a two-core virtual machine with a 2 GB/s disk. Ratios carry over to other machines,
// absolute values less; observations correct them. Hooks in the kernel include the op, the other
// hooks do not.
constexpr Default kDefaults[] = {
    {"read", {0.06, 0.06, false}, {1.25, 0.85, false}, 0},
    {"mmap", {0.08, 0.08, false}, {1.40, 0.95, false}, 0},
    {"direct", {0.50, 0.03, false}, {0.50, 0.03, false}, 0.0005},
    {"pipe", {0.42, 0.42, false}, {1.50, 1.20, false}, 0.025},
    {"pagecache", {0.44, 0.44, false}, {1.50, 1.20, false}, 0.025},
    {"sendfile", {0.55, 0.55, false}, {1.60, 1.30, false}, 0.025},
    {"syscall", {0.60, 0.60, false}, {1.70, 1.40, false}, 0.025},
    {"ship", {1.00, 0.10, false}, {1.00, 0.10, false}, 0},
    {"block", {0.60, 0.60, false}, {1.30, 0.80, false}, 0.025},
    {"filedynptr", {0.60, 0.60, false}, {1.70, 1.40, false}, 0.025},
    {"native", {0.25, 0.25, false}, {0.25, 0.25, false}, 0},
    {"interpreter", {4, 4, false}, {4, 4, false}, 0},
};
constexpr Default kUnknown{"", {1, 1, false}, {1, 1, false}, 0};

constexpr double kWeightOfNew = 1.0 / 3;
constexpr double kFurthest = 4;
constexpr double kFurthestOfOps = 16;
constexpr double kFurthestCalibrated = 64;
constexpr int64_t kOldestSeconds = 24 * 3600;
constexpr int64_t kOldestCalibratedSeconds = kCalibrationDays * 24 * 3600;
constexpr size_t kMostMeasured = 512;
constexpr uint32_t kLeastBlockBytes = 64 << 10;
// A calibration that this many scans in a row were off by more than this factor is contradicted.
// Ops of one class differ by two or three by themselves.
constexpr double kContradiction = 2;
constexpr double kContradictionOfOps = 4;
constexpr unsigned kContradictions = 3;

enum class Kind : unsigned { uncached, op, access, op_class, device, setup, extent, queue, link };
constexpr std::string_view kKindNames[] = {"learnt device", "learnt op", "access", "op",  "device",
                                           "setup",         "extent",    "queue",  "link"};
constexpr bool is_calibrated(Kind kind) { return kind >= Kind::access; }

struct Key {
  std::string what;  ///< a hook, or a program
  Kind kind;
  uint64_t where;  ///< the device, the op's shape or class; else 0
  auto operator<=>(const Key&) const = default;
};

struct Measured {
  double wall_ns;
  double cpu_ns;
  int64_t at_seconds;
  double spread = 0;
  unsigned contradictions = 0;
};

const Default& default_of(std::string_view what) {
  const auto* found = std::find_if(std::begin(kDefaults), std::end(kDefaults),
                                   [&](const Default& known) { return known.what == what; });
  return found == std::end(kDefaults) ? kUnknown : *found;
}

class Rates {
 public:
  Rate cached(const std::string& what) {
    const std::lock_guard lock(mutex_);
    return access(what);
  }

  Rate uncached(const std::string& what, uint64_t device) {
    const std::lock_guard lock(mutex_);
    for (const Kind kind : {Kind::uncached, Kind::device}) {
      if (const Measured* known = find({what, kind, device})) {
        return {known->wall_ns, known->cpu_ns, true};
      }
    }
    Rate rate = default_of(what).uncached;
    rate.wall_ns_per_byte *= device_factor(device);
    return rate;
  }

  double op_factor(const std::string& what, uint64_t shape, uint64_t op_class) {
    const std::lock_guard lock(mutex_);
    const double usual = access(what).cpu_ns_per_byte;
    if (const Measured* known = find({what, Kind::op, shape})) return known->cpu_ns / usual;
    if (const auto factor = mean_factor(
            [&](const Key& key) { return key.kind == Kind::op && key.where == shape; })) {
      return *factor;
    }
    if (const Measured* known = find({what, Kind::op_class, op_class})) {
      return known->cpu_ns / usual;
    }
    return mean_factor(
               [&](const Key& key) { return key.kind == Kind::op_class && key.where == op_class; })
        .value_or(mean_factor([&](const Key& key) {
                    return key.kind == Kind::op_class && key.what == what;
                  }).value_or(1));
  }

  std::optional<KnownLink> link(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const Measured* known = find({address, Kind::link, 0});
    if (known == nullptr) return std::nullopt;
    return KnownLink{1e9 / known->wall_ns, known->cpu_ns * 1e-9};
  }

  /// What was kept may be anything: what could not be a shape is none.
  QueueShape queue(uint64_t device) {
    const std::lock_guard lock(mutex_);
    const Measured* known = find({"direct", Kind::queue, device});
    if (known == nullptr) return {};
    const auto block =
        static_cast<uint32_t>(std::clamp(known->wall_ns, 0.0, double{QueueShape::kMostBlockBytes}));
    const auto depth =
        static_cast<uint32_t>(std::clamp(known->cpu_ns, 0.0, double{QueueShape::kMostDepth}));
    if (block < kLeastBlockBytes || !std::has_single_bit(block) || depth == 0) return {};
    return {block, depth};
  }

  double fixed_seconds(const std::string& what, Kind kind) {
    const std::lock_guard lock(mutex_);
    if (const Measured* known = find({what, kind, 0})) return known->wall_ns * 1e-9;
    return kind == Kind::setup ? default_of(what).setup_seconds : 0;
  }

  void observe(Key key, double wall_ns, double cpu_ns) {
    if (!std::isfinite(wall_ns) || !std::isfinite(cpu_ns)) return;
    const std::lock_guard lock(mutex_);
    Measured known{wall_ns, cpu_ns, 0};
    if (const Measured* found = find(key)) {
      known = *found;
    } else if (key.kind == Kind::uncached) {
      const Measured* calibrated = find({key.what, Kind::device, key.where});
      const Rate usual = default_of(key.what).uncached;
      known = calibrated != nullptr ? *calibrated
                                    : Measured{usual.wall_ns_per_byte, usual.cpu_ns_per_byte, 0};
    }
    put(std::move(key), {known.wall_ns + kWeightOfNew * (wall_ns - known.wall_ns),
                         known.cpu_ns + kWeightOfNew * (cpu_ns - known.cpu_ns), time(nullptr)});
  }

  /// Holds a scan's figure against what was calibrated.
  void compare(const Key& calibrated, double ns) {
    const std::lock_guard lock(mutex_);
    const auto found = measured_.find(calibrated);
    if (found == measured_.end() || !(ns > 0)) return;
    const bool device = calibrated.kind == Kind::device;
    const double usual = device ? found->second.wall_ns : found->second.cpu_ns;
    const double factor = device ? kContradiction : kContradictionOfOps;
    const bool off = ns > usual * factor || ns * factor < usual;
    unsigned& count = found->second.contradictions;
    count = off ? std::min(count + 1, kContradictions) : 0;
  }

  void calibrate(Key key, double wall_ns, double cpu_ns, double spread) {
    if (!(wall_ns > 0) || !(cpu_ns >= 0) || !std::isfinite(wall_ns) || !std::isfinite(cpu_ns)) {
      return;
    }
    const std::lock_guard lock(mutex_);
    put(std::move(key), {wall_ns, cpu_ns, time(nullptr), spread, 0});
  }

  std::string text() {
    const std::lock_guard lock(mutex_);
    std::ostringstream out;
    for (const auto& [key, value] : measured_) {
      out << key.what << ' ' << static_cast<unsigned>(key.kind) << ' ' << key.where << ' '
          << value.wall_ns << ' ' << value.cpu_ns << ' ' << value.at_seconds << ' ' << value.spread
          << ' ' << value.contradictions << '\n';
    }
    return out.str();
  }

  void restore(std::string_view text) {
    const std::lock_guard lock(mutex_);
    std::istringstream lines{std::string(text)};
    const int64_t now = time(nullptr);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      Key key;
      unsigned kind = 0;
      Measured value{};
      if (!(fields >> key.what >> kind >> key.where >> value.wall_ns >> value.cpu_ns >>
            value.at_seconds >> value.spread >> value.contradictions) ||
          kind >= std::size(kKindNames)) {
        continue;
      }
      key.kind = static_cast<Kind>(kind);
      const int64_t oldest = is_calibrated(key.kind) ? kOldestCalibratedSeconds : kOldestSeconds;
      if (value.at_seconds > now || now - value.at_seconds >= oldest) continue;
      const Measured* known = find(key);
      if (known == nullptr || known->at_seconds <= value.at_seconds) put(std::move(key), value);
    }
  }

  std::vector<KnownRate> known() {
    const std::lock_guard lock(mutex_);
    std::vector<KnownRate> rows;
    rows.reserve(measured_.size());
    for (const auto& [key, value] : measured_) {
      rows.push_back({key.what, std::string(kKindNames[static_cast<unsigned>(key.kind)]), key.where,
                      value.wall_ns, value.cpu_ns, value.spread, value.at_seconds,
                      value.contradictions >= kContradictions});
    }
    return rows;
  }

 private:
  const Measured* find(const Key& key) const {
    const auto found = measured_.find(key);
    return found == measured_.end() ? nullptr : &found->second;
  }

  Rate access(const std::string& what) const {
    if (const Measured* known = find({what, Kind::access, 0})) {
      return {known->wall_ns, known->cpu_ns, true};
    }
    return default_of(what).cached;
  }

  // How much slower a device is than the defaults say, by the hooks that were measured on it: else
  // a hook that was measured on a slow device would lose against one that was not.
  double device_factor(uint64_t device) const {
    double sum = 0;
    int count = 0;
    for (const auto& [key, value] : measured_) {
      if (key.where != device || (key.kind != Kind::uncached && key.kind != Kind::device)) continue;
      sum += value.wall_ns / default_of(key.what).uncached.wall_ns_per_byte;
      count++;
    }
    return count == 0 ? 1 : sum / count;
  }

  template <typename Filter>
  std::optional<double> mean_factor(const Filter& wanted) const {
    double sum = 0;
    int count = 0;
    for (const auto& [key, value] : measured_) {
      if (!wanted(key)) continue;
      sum += value.cpu_ns / access(key.what).cpu_ns_per_byte;
      count++;
    }
    if (count == 0) return std::nullopt;
    return sum / count;
  }

  void put(Key key, Measured value) {
    if (const auto furthest = furthest_of(key.kind)) {
      const Default& usual = default_of(key.what);
      const Rate& rate =
          key.kind == Kind::uncached || key.kind == Kind::device ? usual.uncached : usual.cached;
      const auto bounded = [furthest](double seen, double usual_value) {
        return std::clamp(seen, usual_value / *furthest, usual_value * *furthest);
      };
      value.wall_ns = bounded(value.wall_ns, rate.wall_ns_per_byte);
      value.cpu_ns = bounded(value.cpu_ns, rate.cpu_ns_per_byte);
    }
    if (measured_.size() >= kMostMeasured && !measured_.contains(key)) forget_oldest();
    measured_[std::move(key)] = value;
  }

  static std::optional<double> furthest_of(Kind kind) {
    switch (kind) {
      case Kind::uncached:
        return kFurthest;
      case Kind::op:
        return kFurthestOfOps;
      case Kind::setup:
      case Kind::extent:
      case Kind::queue:
      case Kind::link:
        return std::nullopt;
      default:
        return kFurthestCalibrated;
    }
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

/// Programs of one kind cost about the same: "native avx512" is "native", "interpreter: why" is
/// "interpreter".
std::string kind_of(std::string_view program) {
  return std::string(program.substr(0, program.find_first_of(" :")));
}

}  // namespace

Rate rate(std::string_view hook, Residency residency, uint64_t device) {
  const Rate cached = rates().cached(std::string(hook));
  if (residency == Residency::cached) return cached;
  const Rate uncached = rates().uncached(std::string(hook), device);
  if (residency == Residency::uncached) return uncached;
  return {(cached.wall_ns_per_byte + uncached.wall_ns_per_byte) / 2,
          (cached.cpu_ns_per_byte + uncached.cpu_ns_per_byte) / 2,
          cached.measured && uncached.measured};
}

Rate program_rate(std::string_view program) { return rates().cached(kind_of(program)); }

void observe_rate(std::string_view hook, uint64_t device, double wall_ns_per_byte,
                  double cpu_ns_per_byte) {
  rates().observe({std::string(hook), Kind::uncached, device}, wall_ns_per_byte, cpu_ns_per_byte);
  rates().compare({std::string(hook), Kind::device, device}, wall_ns_per_byte);
}

double op_factor(std::string_view computer, uint64_t shape, uint64_t op_class) {
  return rates().op_factor(kind_of(computer), shape, op_class);
}

void observe_op(std::string_view computer, uint64_t shape, double cpu_ns_per_byte,
                uint64_t op_class) {
  rates().observe({kind_of(computer), Kind::op, shape}, cpu_ns_per_byte, cpu_ns_per_byte);
  rates().compare({kind_of(computer), Kind::op_class, op_class}, cpu_ns_per_byte);
}

void calibrate_access(std::string_view hook, const Calibrated& ns_per_byte) {
  rates().calibrate({std::string(hook), Kind::access, 0}, ns_per_byte.value, ns_per_byte.value,
                    ns_per_byte.spread);
}

void calibrate_op(std::string_view computer, uint64_t op_class, const Calibrated& ns_per_byte) {
  rates().calibrate({kind_of(computer), Kind::op_class, op_class}, ns_per_byte.value,
                    ns_per_byte.value, ns_per_byte.spread);
}

void calibrate_device(uint64_t device, const Calibrated& wall_ns_per_byte, double cpu_ns_per_byte) {
  rates().calibrate({"direct", Kind::device, device}, wall_ns_per_byte.value, cpu_ns_per_byte,
                    wall_ns_per_byte.spread);
}

void calibrate_setup(std::string_view hook, const Calibrated& seconds) {
  rates().calibrate({std::string(hook), Kind::setup, 0}, seconds.value * 1e9, seconds.value * 1e9,
                    seconds.spread);
}

void calibrate_extent(std::string_view hook, const Calibrated& seconds) {
  rates().calibrate({std::string(hook), Kind::extent, 0}, seconds.value * 1e9, seconds.value * 1e9,
                    seconds.spread);
}

void calibrate_queue(uint64_t device, const QueueShape& shape) {
  rates().calibrate({"direct", Kind::queue, device}, shape.block_bytes, shape.depth, 0);
}

void calibrate_link(std::string_view address, const Calibrated& bytes_per_second,
                    double rtt_seconds) {
  rates().calibrate({std::string(address), Kind::link, 0}, 1e9 / bytes_per_second.value,
                    rtt_seconds * 1e9, bytes_per_second.spread);
}

std::optional<KnownLink> known_link(std::string_view address) {
  return rates().link(std::string(address));
}

QueueShape queue_shape(uint64_t device) { return rates().queue(device); }

double setup_seconds(std::string_view hook) {
  return rates().fixed_seconds(std::string(hook), Kind::setup);
}

double extent_seconds(std::string_view hook) {
  return rates().fixed_seconds(std::string(hook), Kind::extent);
}

bool has_default(std::string_view what) { return &default_of(what) != &kUnknown; }

std::vector<KnownRate> known_rates() { return rates().known(); }

std::string measured_rates() { return rates().text(); }

void restore_rates(std::string_view text) { rates().restore(text); }

Cost cost_of(const Rate& rate, uint64_t bytes) {
  Cost cost;
  cost.wall_seconds = rate.wall_ns_per_byte * static_cast<double>(bytes) * 1e-9;
  cost.cpu_seconds = rate.cpu_ns_per_byte * static_cast<double>(bytes) * 1e-9;
  return cost;
}

}  // namespace grapnel::hooks
