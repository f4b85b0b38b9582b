#include <algorithm>

#include "hooks/hook.h"

namespace grapnel::hooks {

void HookCounters::add(const HookCounters& other) {
  bytes += other.bytes;
  records += other.records;
  escapes += other.escapes;
  escape_bytes += other.escape_bytes;
  failed_extents += other.failed_extents;
  bytes_copied += other.bytes_copied;
  device_bytes += other.device_bytes;
  cpu_seconds += other.cpu_seconds;
  rest_bytes += other.rest_bytes;
  load_seconds += other.load_seconds;
  longest_run_seconds = std::max(longest_run_seconds, other.longest_run_seconds);
  verified_instructions = std::max(verified_instructions, other.verified_instructions);
}

std::string_view to_string(Residency residency) {
  switch (residency) {
    case Residency::unknown:
      return "unknown";
    case Residency::cached:
      return "cached";
    case Residency::uncached:
      return "uncached";
    case Residency::mixed:
      return "mixed";
  }
  return "unknown";
}

}  // namespace grapnel::hooks
