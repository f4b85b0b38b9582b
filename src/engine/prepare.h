// The stages before the scan: text to a typed query on an open file, with a program to run it and a
// decision about hooks. Reads a sample of the file at most.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "choose/choose.h"
#include "hooks/common/cache_keeper.h"
#include "op/query.h"
#include "program/program.h"
#include "source/source.h"
#include "sql/parse.h"
#include "wire/executor.h"

namespace grapnel::engine {

/// Where a query of a server's client is computed.
struct Place {
  bool ship = false;  ///< at the client
  std::string why;    ///< for EXPLAIN
};

/// A statement that is ready to run. Immutable.
struct Prepared {
  sql::StatementKind kind = sql::StatementKind::query;
  op::Query query;  ///< its Op has the filter in the order to be tried
  std::shared_ptr<const program::Job> job;
  choose::FilterEstimate estimate;
  std::shared_ptr<const program::Program> program;
  std::string program_note;  ///< why this program: "compiled in 14 ms", "no compiler: ..."
  choose::Decision decision;
  std::optional<Place> place;  ///< if the client has left the choice (wire::ShipOffer)
  /// --polite: takes out of the page cache, at the end, what looking at the file has brought in.
  std::shared_ptr<const hooks::CacheKeeper> cache_keeper;
  unsigned threads = 1;
  double cpu_share = 1;        ///< of a CPU that each thread may use
  double prepare_seconds = 0;  ///< without compiling
  double compile_seconds = 0;
};

/// Errors: refused, usage, io, permission, data, hook, limit.
Result<Prepared> prepare(std::string_view sql, const wire::ExecuteOptions& options,
                         const source::OpenOptions& where);

/// If `sql` is DESCRIBE 'file' or DESCRIBE csv(...): the open table. Empty: it is something else.
Result<std::optional<std::shared_ptr<const source::Source>>> open_described(
    std::string_view sql, const source::OpenOptions& where);

/// Whether rows leave while the scan still runs: in the file's order, without aggregates.
bool streams_rows(const Prepared& prepared);

/// CPUs that this process may use, at most limits::kThreads.
unsigned usable_cpus();

}  // namespace grapnel::engine
