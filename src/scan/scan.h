// Cuts a file into extents, lets workers drive hooks over them, stitches records across extents,
// sees that each byte is taken exactly once, cancels, reports progress, and checks that the file
// did not change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "hooks/common/extent_time.h"
#include "hooks/hook.h"
#include "program/program.h"

namespace grapnel::scan {

struct Progress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  double seconds = 0;
  std::string hook;  ///< in use now
};

using HookChoice = hooks::HookChoice;

struct Plan {
  std::shared_ptr<const program::Job> job;
  std::shared_ptr<const program::Program> program;
  /// Choice for an extent, asked by the worker that takes it. Thread-safe.
  std::function<HookChoice(const hooks::Extent&)> choose;
  /// Told what each extent took. May be empty. Thread-safe.
  std::function<void(const hooks::ExtentTime&)> observe;
  unsigned threads = 1;
  double cpu_share = 1;       ///< of one CPU that each thread may use on average; 1: all
  uint64_t extent_bytes = 0;  ///< 0: chosen from the size
  /// Stop early once this many rows (in file order) are there: LIMIT + OFFSET without ORDER BY.
  std::optional<uint64_t> row_limit;
  bool error_if_grown = false;  ///< --if-changed error
  bool refuse_writers = false;  ///< --strict: no scan of a file that is open for writing
  /// Row queries: takes rows in file order as soon as they are proven, one call at a time (from any
  /// thread; a slow sink holds the scan back). Outcome::partial.rows stays empty then. An error
  /// from it ends the scan with that error. Rows that were taken are void if run() fails later.
  std::function<Status(state::RowBatch&&)> row_sink;
};

struct Statistics {
  std::map<std::string, hooks::HookCounters> hooks;  ///< by hook name
  hooks::HookCounters stitched;                      ///< records across extents
  uint64_t file_bytes = 0;
  unsigned threads = 0;
  double wall_seconds = 0;
  std::string stability;  ///< "leased" | "checked" | "open for writing"
  std::vector<std::string> warnings;
};

struct Outcome {
  state::Partial partial;  ///< merged; rows in file order
  Statistics statistics;
};

/// Runs the whole scan. Errors: those of hooks::Session, and changed (the file did, or it is open
/// for writing and that is refused; then nothing was read). `progress` (may be empty) is called
/// from one thread, about 10 times a second.
Result<Outcome> run(const Plan& plan, const CancelToken& cancel,
                    const std::function<void(const Progress&)>& progress);

}  // namespace grapnel::scan
