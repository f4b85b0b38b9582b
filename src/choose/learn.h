// What a scan took becomes the price of the next one.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "hooks/hook.h"
#include "program/program.h"

namespace grapnel::choose {

/// Takes over what earlier processes of this user have measured, once per process; kept in the
/// directory of compiled objects. Thread-safe.
void recall();

/// What makes an op dear or cheap: its plan without constants. Ops of one shape cost about the
/// same.
uint64_t op_shape(const program::Job& job);

/// Learns from a finished scan: `hooks` by name, `wall_seconds` with `threads`. Only scans that are
/// long enough and clear (one hook, all cached or nothing cached) teach anything. Thread-safe.
void learn(const program::Job& job, const program::Program& program,
           const std::map<std::string, hooks::HookCounters>& hooks, double wall_seconds,
           unsigned threads);

}  // namespace grapnel::choose
