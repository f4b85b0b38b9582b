// Every hook over the same cached bytes, in turns: extents are driven one by one, as a scan's
// worker does, so that the fixed costs show apart from those per byte.
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>

#include "calibrate/measure.h"
#include "calibrate/median.h"
#include "choose/learn.h"
#include "engine/prepare.h"
#include "hooks/common/extent_size.h"
#include "hooks/common/thread_clock.h"
#include "hooks/common/user_space.h"

namespace grapnel::calibrate {
namespace {

constexpr uint64_t kSmallExtentBytes = 256 << 10;
constexpr uint64_t kBytesPerTurn = 16 << 20;
constexpr uint64_t kSmallTurnBytes = 8 << 20;
constexpr unsigned kLeastRounds = 3;
constexpr unsigned kMostRounds = 15;
constexpr unsigned kSetups = 3;

/// One statement through one hook.
struct Case {
  hooks::Hook* hook = nullptr;
  std::shared_ptr<const engine::Prepared> prepared;
  std::unique_ptr<hooks::Session> session;
  bool usual = false;  ///< the statement that all hooks run: what is told of the hook itself
  std::vector<double> ns_per_byte;
  std::vector<double> extent_seconds;
  std::vector<double> setup_seconds;
};

/// Drives [begin, begin + bytes) in extents of `step`; CPU seconds.
Result<double> drive(Case& one, uint64_t begin, uint64_t bytes, uint64_t step) {
  const source::Source& source = *one.prepared->job->source;
  const uint64_t record =
      source.layout.format == source::Format::fixed ? source.layout.record_bytes : 1;
  step = std::max(record, step / record * record);
  const uint64_t end = std::min(begin + bytes, source.data_end);
  const double cpu = hooks::thread_cpu_seconds();
  uint32_t number = 0;
  const CancelToken never;
  for (uint64_t at = begin / record * record; at < end; at += step) {
    hooks::Extent extent;
    extent.begin = at;
    extent.end = std::min(at + step, end / record * record);
    if (extent.begin >= extent.end) break;
    extent.number = number++;
    extent.first = at == 0;
    extent.last = extent.end == source.data_end;
    extent.residency = hooks::Residency::cached;
    GRAPNEL_TRY(const auto result, one.session->drive(extent, never));
    (void)result;
  }
  return hooks::thread_cpu_seconds() - cpu;
}

/// Opens a session, and again: programs are loaded anew each time. The first one may compile. CPU
/// time, which is nearly all of it: others' load must not look like ours.
Status set_up(Case& one) {
  for (unsigned i = 0; i <= kSetups; i++) {
    one.session.reset();
    const double begin = hooks::thread_cpu_seconds();
    GRAPNEL_TRY(one.session, one.hook->open(one.prepared->job, one.prepared->program));
    if (i > 0) one.setup_seconds.push_back(hooks::thread_cpu_seconds() - begin);
    if (!one.usual) break;
  }
  return ok_status();
}

Status take_turn(Case& one, unsigned round) {
  const uint64_t size = one.prepared->job->source->data_end;
  const uint64_t turns = std::max<uint64_t>(1, size / kBytesPerTurn);
  const uint64_t begin = round % turns * kBytesPerTurn;
  const uint64_t bytes = std::min(kBytesPerTurn, size - begin);
  GRAPNEL_TRY(const double cpu, drive(one, begin, bytes, hooks::kLargestExtentBytes));
  one.ns_per_byte.push_back(cpu * 1e9 / static_cast<double>(bytes));
  if (!one.usual || size < kSmallTurnBytes) return ok_status();
  GRAPNEL_TRY(const double large, drive(one, 0, kSmallTurnBytes, hooks::kLargestExtentBytes));
  GRAPNEL_TRY(const double small, drive(one, 0, kSmallTurnBytes, kSmallExtentBytes));
  constexpr uint64_t kMoreExtents =
      kSmallTurnBytes / kSmallExtentBytes - kSmallTurnBytes / hooks::kLargestExtentBytes;
  one.extent_seconds.push_back((small - large) / static_cast<double>(kMoreExtents));
  return ok_status();
}

/// What pread() takes for cached bytes, as the hook `read` calls it.
double read_turn(const ScratchFile& file, std::vector<char>& buffer) {
  const uint64_t bytes = std::min(kBytesPerTurn, file.size());
  const double cpu = hooks::thread_cpu_seconds();
  for (uint64_t at = 0; at < bytes; at += buffer.size()) {
    const ssize_t got = pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got <= 0) break;
  }
  return (hooks::thread_cpu_seconds() - cpu) * 1e9 / static_cast<double>(bytes);
}

class HookMeasurement {
 public:
  HookMeasurement(const ScratchFile& text, const ScratchFile& fixed, Findings& findings)
      : text_(text), fixed_(fixed), findings_(findings) {}

  Status run(double budget_seconds) {
    const double end = hooks::wall_clock_seconds() + budget_seconds;
    GRAPNEL_CHECK(make_cases());
    std::vector<char> buffer(256 << 10);
    for (unsigned round = 0; round < kMostRounds; round++) {
      if (round >= kLeastRounds && hooks::wall_clock_seconds() > end) break;
      read_ns_.push_back(read_turn(text_, buffer));
      for (auto& one : cases_) {
        if (!one.session) continue;
        const Status status = take_turn(one, round);
        if (status.ok()) continue;
        note(*one.hook, status.error().message);
        one.session.reset();
        one.ns_per_byte.clear();
      }
    }
    tell();
    return ok_status();
  }

 private:
  Status make_cases() {
    const std::string csv = "csv('" + text_.path() +
                            "', delim => '|', header => false, columns => '" + kLineitemColumns +
                            "')";
    const std::string lines = "lines('" + text_.path() + "')";
    const std::string fixed = "fixed('" + fixed_.path() + "', columns => '" + kFixedColumns + "')";
    const std::string usual =
        "SELECT sum(l_extendedprice * l_discount) FROM " + csv +
        " WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND "
        "l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24";
    const std::vector<std::string> others = {
        "SELECT count(*) FROM " + csv + " WHERE l_quantity < 24",
        "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), count(*) FROM " +
            csv + " WHERE l_shipdate <= DATE '1998-09-02' GROUP BY 1, 2",
        "SELECT count(*) FROM " + lines,
        "SELECT count(*) FROM " + lines + " WHERE line LIKE '77%'",
        "SELECT sum(a), sum(d) FROM " + fixed + " WHERE c < 24",
        "SELECT count(*) FROM " + fixed + " WHERE b < 100",
    };
    for (hooks::Hook* hook : hooks::all_hooks()) GRAPNEL_CHECK(add(*hook, usual, true));
    for (const std::string& sql : others) {
      for (const char* name : {"read", "pipe"}) {
        hooks::Hook* hook = hooks::find_hook(name);
        if (hook != nullptr) GRAPNEL_CHECK(add(*hook, sql, false));
      }
    }
    return ok_status();
  }

  /// Hooks that may not or cannot are left out, with a note.
  Status add(hooks::Hook& hook, const std::string& sql, bool usual) {
    if (!hook.facts().sees_cached) return ok_status();
    if (const auto verdict = hook.permitted(); !verdict.yes) {
      if (usual) note(hook, verdict.reason);
      return ok_status();
    }
    GRAPNEL_TRY(auto prepared, prepared_for(sql));
    if (const auto verdict = hook.eligible(*prepared->job); !verdict.yes) {
      if (usual) note(hook, verdict.reason);
      return ok_status();
    }
    Case one;
    one.hook = &hook;
    one.prepared = std::move(prepared);
    one.usual = usual;
    if (const Status status = set_up(one); !status.ok()) {
      if (usual) note(hook, status.error().message);
      return ok_status();
    }
    cases_.push_back(std::move(one));
    return ok_status();
  }

  /// Why a hook was left out, in one line.
  void note(const hooks::Hook& hook, const std::string& why) {
    findings_.notes.push_back(std::string(hook.name()) +
                              " was not measured: " + why.substr(0, why.find('\n')));
  }

  /// Once for each statement: compiling takes longer than measuring.
  Result<std::shared_ptr<const engine::Prepared>> prepared_for(const std::string& sql) {
    auto& known = prepared_[sql];
    if (known == nullptr) {
      wire::ExecuteOptions options;
      options.hook = "read";
      options.threads = 1;
      GRAPNEL_TRY(auto prepared, engine::prepare(sql, options, {}));
      known = std::make_shared<engine::Prepared>(std::move(prepared));
    }
    return known;
  }

  void tell() {
    const hooks::Calibrated read = median_of(read_ns_);
    findings_.access.push_back({"read", read});
    double native_usual = 0;
    for (const Case& one : cases_) {
      if (one.usual && one.hook->name() == "read") {
        native_usual = std::max(median_of(one.ns_per_byte).value - read.value, 0.01);
      }
    }
    for (const Case& one : cases_) {
      if (one.ns_per_byte.empty()) continue;
      hooks::Calibrated whole = median_of(one.ns_per_byte);
      const std::string name(one.hook->name());
      const uint64_t op_class = choose::op_class(*one.prepared->job);
      if (one.hook->in_kernel()) {
        findings_.ops.push_back({name, op_class, whole});
      } else if (name == "read") {
        whole.value = std::max(whole.value - read.value, 0.01);
        findings_.ops.push_back({one.prepared->program->name(), op_class, whole});
      } else if (name == "mmap" && native_usual > 0) {
        // Of `direct` what is cached comes from the device, too: that is measured there.
        whole.value = std::max(whole.value - native_usual, 0.01);
        findings_.access.push_back({name, whole});
      }
      if (!one.usual) continue;
      findings_.setup.push_back({name, median_of(one.setup_seconds)});
      const hooks::Calibrated extent = median_of(one.extent_seconds);
      if (extent.value > 0) findings_.extent.push_back({name, extent});
    }
  }

  const ScratchFile& text_;
  const ScratchFile& fixed_;
  Findings& findings_;
  std::map<std::string, std::shared_ptr<const engine::Prepared>> prepared_;
  std::vector<Case> cases_;
  std::vector<double> read_ns_;
};

}  // namespace

Status measure_hooks(const ScratchFile& text, const ScratchFile& fixed, double budget_seconds,
                     Findings& findings) {
  return HookMeasurement(text, fixed, findings).run(budget_seconds);
}

}  // namespace grapnel::calibrate
