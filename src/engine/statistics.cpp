#include "engine/statistics.h"

#include <algorithm>

namespace grapnel::engine {
namespace {

api::HookStatistics to_public(std::string name, const hooks::HookCounters& counters) {
  api::HookStatistics hook;
  hook.name = std::move(name);
  hook.bytes = counters.bytes;
  hook.records = counters.records;
  hook.escapes = counters.escapes;
  hook.escape_bytes = counters.escape_bytes;
  hook.rest_bytes = counters.rest_bytes;
  hook.load_seconds = counters.load_seconds;
  hook.longest_run_seconds = counters.longest_run_seconds;
  hook.verified_instructions = counters.verified_instructions;
  hook.failed_extents = counters.failed_extents;
  hook.bytes_copied = counters.bytes_copied;
  hook.device_bytes = counters.device_bytes;
  hook.cpu_seconds = counters.cpu_seconds;
  return hook;
}

}  // namespace

std::string short_name(const program::Program& program) {
  const std::string name = program.name();
  return name.substr(0, name.find(':'));
}

api::Statistics make_statistics(const Prepared& prepared, const scan::Statistics& scanned) {
  api::Statistics statistics;
  statistics.table = source::table_expression(*prepared.job->source);
  statistics.program = short_name(*prepared.program);
  statistics.why = prepared.decision.reason;
  if (prepared.decision.corrections) {
    const std::string corrections = prepared.decision.corrections();
    if (!corrections.empty()) statistics.why += "; corrected " + corrections;
  }
  for (const auto& [name, counters] : scanned.hooks) {
    statistics.hooks.push_back(to_public(name, counters));
  }
  const auto most =
      std::max_element(statistics.hooks.begin(), statistics.hooks.end(),
                       [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  if (most != statistics.hooks.end()) {
    statistics.hook = most->name;
    const hooks::Hook* hook = hooks::find_hook(most->name);
    if (hook != nullptr && hook->in_kernel()) statistics.program = "bpf";
  }
  statistics.stitched = to_public({}, scanned.stitched);
  statistics.file_bytes = scanned.file_bytes;
  if (const auto& remote = prepared.job->source->remote) {
    statistics.bytes_sent = remote->bytes_received();
  }
  statistics.threads = scanned.threads;
  statistics.prepare_seconds = prepared.prepare_seconds;
  statistics.compile_seconds = prepared.compile_seconds;
  statistics.wall_seconds = scanned.wall_seconds;
  statistics.stability = scanned.stability;
  statistics.warnings = scanned.warnings;
  return statistics;
}

}  // namespace grapnel::engine
