// What a scan took becomes the price of the next one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "hooks/hook.h"
#include "program/program.h"

namespace grapnel::choose {

/// Takes over what earlier processes of this user have measured, once per process; kept in the
/// directory of compiled objects, for each machine, kernel and version of grapnel apart.
/// Thread-safe.
void recall();

/// Lets `change` add to what is known (hooks/common/rates.h), on top of what others have kept
/// meanwhile, and keeps the outcome. Safe with other processes that do the same. Errors: io; then
/// this process alone knows.
Status remember(const std::function<void()>& change);

/// Where remember() keeps it; empty with `problem` set if it cannot.
std::string memory_path(std::string* problem);

/// What makes an op dear or cheap: its plan without constants. Ops of one shape cost about the
/// same.
uint64_t op_shape(const program::Job& job);

/// Coarser: the reader and what is done per record, "csv sum", "lines search". What a calibration
/// measures stands for all ops of the class until one was seen itself. Never 0.
uint64_t op_class(const program::Job& job);
std::string op_class_name(uint64_t op_class);

/// Learns from a finished scan: `hooks` by name, `wall_seconds` with `threads`. Only scans that are
/// long enough and clear (of a hook's bytes all or none came from the device; none if others had a
/// part in the scan) teach anything. Thread-safe.
void learn(const program::Job& job, const program::Program& program,
           const std::map<std::string, hooks::HookCounters>& hooks, double wall_seconds,
           unsigned threads);

}  // namespace grapnel::choose
