// Where to hook: for one statement on one file, what is known about every place where it could run,
// what each is expected to cost, and, if wanted, what each does cost.
//
//   auto table = grapnel::api::where("SELECT sum(x) FROM 'f.csv'", {});
//   std::cout << table->pick << ": " << table->why << '\n' << where_json(*table);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grapnel/estimate.h"
#include "grapnel/grapnel.h"

namespace grapnel::api {

struct WhereOptions {
  std::string on;        ///< server, "HOST:PORT"; empty: this process
  QueryOptions query;    ///< threads and limits; `hook` names the one to be explained as forced
  bool measure = false;  ///< run every hook that may and can
  unsigned rounds = 3;   ///< of measuring; hooks take turns within a round
  const CancelToken* cancel = nullptr;
};

struct HookCost {
  double wall_seconds = 0;
  double cpu_seconds = 0;  ///< of all threads
  uint64_t device_bytes = 0;
};

/// Medians over the rounds.
struct HookMeasured {
  unsigned rounds = 0;  ///< 0: not measured, `refusal` says why if there was a reason
  std::string refusal;
  HookCost cost;
  double wall_spread = 0;     ///< half the distance between the quartiles, relative to the median
  uint64_t bytes_copied = 0;  ///< of the file, to user space
  /// That the process grew by at its peak. Empty for a server.
  std::optional<uint64_t> memory_bytes;
  /// Of the file, left in the page cache that were not there. Empty for a server, and where what is
  /// cached cannot be known exactly.
  std::optional<uint64_t> cache_added_bytes;
  double computed_share = 0;  ///< of the file's bytes that the hook itself computed
  double load_seconds = 0;
  double longest_run_seconds = 0;
  uint32_t verified_instructions = 0;
};

/// One line of the table.
struct WhereRow {
  std::string hook;
  std::string description;
  bool in_kernel = false;
  bool ruled_out = false;  ///< by no_kernel, polite, max_cpus
  bool permitted = false;
  bool eligible = false;
  bool by_default = true;  ///< taken without being named
  bool chosen = false;
  double file_share = 0;  ///< of the file for which it is the first choice
  std::string reason;     ///< why, or why not
  std::string cure;

  std::string uses;              ///< "pread()"
  std::string attach_point;      ///< "raw_tp/sys_exit (exact, on the reader's copy)"; empty: none
  std::string kind;              ///< "none", "helper", "tracepoint", "function"
  std::string since;             ///< release
  std::string foundation;        ///< what it stands on
  unsigned foundation_rank = 0;  ///< 0: the steadiest
  bool exact = true;             ///< sees every byte; else what it misses is done by others
  bool pinned = true;            ///< bytes cannot change hands while they are looked at
  std::string context;           ///< whose time it takes
  std::string knows_file_by;
  std::string knows_process_by;
  bool sees_cached = true;
  bool sees_uncached = true;
  bool fills_cache = true;
  double copied_share = 0;  ///< of the file's bytes, to user space, as a rule
  bool taxes_others = false;
  std::string tax;  ///< what others pay while it runs: which of their work, not how much

  double setup_seconds = 0;
  HookCost predicted;  ///< as the file is cached now
  HookCost if_cached;
  HookCost if_uncached;
  HookMeasured measured;

  [[nodiscard]] bool usable() const { return permitted && eligible && !ruled_out; }
  /// "yes", "if named", "cannot", "not permitted", "ruled out".
  [[nodiscard]] std::string may() const;
  /// Where it sits, without what is known there: "raw_tp/sys_exit", "pread()".
  [[nodiscard]] std::string place() const;
  /// Measured if it was, else predicted.
  [[nodiscard]] double wall_seconds() const {
    return measured.rounds > 0 ? measured.cost.wall_seconds : predicted.wall_seconds;
  }
};

/// The steadiest place against the fastest one.
struct StabilityPrice {
  std::string stable;     ///< hook; empty: none is usable
  std::string efficient;  ///< hook
  double percent = 0;     ///< that the stable one takes longer
};

struct WhereTable {
  std::string sql;
  std::string path;
  std::string table;     ///< how the file is read
  std::string op_class;  ///< "csv sum"
  uint64_t file_bytes = 0;
  uint64_t data_bytes = 0;  ///< without a header
  double selectivity = 1;
  uint64_t sampled_records = 0;  ///< that `selectivity` is from; 0: it is not known
  double result_bytes = 0;       ///< a guess
  bool result_streams = false;   ///< rows leave while the scan runs
  double cached_share = -1;      ///< negative: unknown
  std::string cached_how;
  unsigned threads = 0;
  std::string program;
  double prepare_seconds = 0;
  double compile_seconds = 0;
  double device_bytes_per_second = 0;  ///< of what the file lies on
  bool device_measured = false;

  std::string pick;  ///< the hook for the larger part of the file, as EXPLAIN says
  std::string why;
  StabilityPrice everywhere;  ///< among all usable hooks
  StabilityPrice in_kernel;   ///< among those in the kernel
  bool measured = false;
  std::string fastest;  ///< measured: the hook with the shortest wall time; empty: none could
  /// Measured: by which share the pick was slower than the fastest. Empty if the pick itself was
  /// not measured, or nothing was.
  std::optional<double> pick_excess;
  std::vector<std::string> notes;  ///< what a reader must know about the numbers
  std::vector<WhereRow> rows;      ///< every hook of this build
};

/// Errors: those of Connection::execute; with `measure` also ErrorKind::internal if two hooks gave
/// different answers, which would be a bug. Measuring leaves the page cache of this machine as it
/// was, where that can be known; a note says where not.
Result<WhereTable> where(const std::string& sql, const WhereOptions& options);

/// The model's parameters for one statement: size, cached share, rates of device and hooks, and a
/// guess of the result's size, as `where` knows them; with `on` the link to that server, from an
/// earlier calibration or measured now. What cannot be found out stays as in `base`. Errors: those
/// of where() and, with `on`, network.
Result<EstimateInput> estimate_query(const std::string& sql, const std::string& on,
                                     const EstimateInput& base);

/// One JSON object, some lines.
std::string where_json(const WhereTable& table);
/// A page of its own with plots: nothing is fetched from anywhere.
std::string where_html(const WhereTable& table);

}  // namespace grapnel::api
