#include "grapnel/calibrate.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstdlib>

#include "api/error.h"
#include "calibrate/measure.h"
#include "choose/learn.h"
#include "hooks/common/thread_clock.h"

namespace grapnel::api {
namespace {

constexpr uint64_t kTextBytes = 32 << 20;
constexpr uint64_t kFixedBytes = 16 << 20;
// Of the budget: making the data and the compiler take some, too.
constexpr double kDeviceShare = 0.2;
constexpr double kHooksShare = 0.4;

std::string scratch_directory(const CalibrateOptions& options) {
  if (!options.directory.empty()) return options.directory;
  std::string problem;
  std::string kept = choose::memory_path(&problem);
  if (!kept.empty()) return kept;
  const char* temporary = std::getenv("TMPDIR");
  return temporary != nullptr && *temporary == '/' ? temporary : "/var/tmp";
}

Status measure_machine(const CalibrateOptions& options, calibrate::Findings& findings) {
  const std::string directory = scratch_directory(options);
  GRAPNEL_TRY(const auto text,
              calibrate::ScratchFile::make(directory, calibrate::lineitem_text(kTextBytes)));
  GRAPNEL_TRY(const auto fixed,
              calibrate::ScratchFile::make(directory, calibrate::fixed_records(kFixedBytes)));
  GRAPNEL_CHECK(calibrate::measure_device(text, kDeviceShare * options.budget_seconds, findings));
  return calibrate::measure_hooks(text, fixed, kHooksShare * options.budget_seconds, findings);
}

void tell(const calibrate::Findings& findings) {
  for (const auto& one : findings.access) hooks::calibrate_access(one.hook, one.value);
  for (const auto& one : findings.ops) {
    hooks::calibrate_op(one.computer, one.op_class, one.ns_per_byte);
  }
  for (const auto& one : findings.setup) hooks::calibrate_setup(one.hook, one.value);
  for (const auto& one : findings.extent) hooks::calibrate_extent(one.hook, one.value);
  if (!findings.has_device) return;
  hooks::calibrate_device(findings.device, findings.device_ns_per_byte,
                          findings.device_cpu_ns_per_byte);
  hooks::calibrate_queue(findings.device, findings.queue);
}

}  // namespace

Result<Calibration> calibrate(const CalibrateOptions& options) {
  choose::recall();
  const double begin = hooks::wall_clock_seconds();
  calibrate::Findings findings;
  Status kept = ok_status();
  if (!options.on.empty()) {
    auto link = calibrate::measure_link(options.on);
    if (!link.ok()) return to_public(link.error());
    kept = choose::remember(
        [&] { hooks::calibrate_link(options.on, link->bytes_per_second, link->rtt_seconds); });
  } else {
    if (Status status = measure_machine(options, findings); !status.ok()) {
      return to_public(status.error());
    }
    kept = choose::remember([&] { tell(findings); });
  }
  Calibration all = known_calibration(options);
  all.seconds = hooks::wall_clock_seconds() - begin;
  all.notes = std::move(findings.notes);
  if (!kept.ok()) {
    all.kept_in.clear();
    all.problem = kept.error().to_string();
  }
  return all;
}

}  // namespace grapnel::api
