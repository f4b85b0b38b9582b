// "Something that answers queries": the embedded engine, or a server behind a connection. The
// public API talks to this interface only, the Flight server offers one of these to its clients,
// and the Flight client is one of these. Plain C++ between the program and its plugin (built
// together; the plugin's version text is compared on load).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "grapnel/arrow_c_abi.h"
#include "source/file_stream.h"

namespace grapnel::wire {

/// What a client says of itself, so that a server can tell whether the file is better sent to it.
struct ShipOffer {
  double link_bytes_per_second = 0;  ///< as the client measured it; 0: not known
  double rtt_seconds = 0;
  unsigned threads = 1;  ///< of the client
};

/// How one query is to be run. Travels to a server as a JSON object (to_json / from_json).
struct ExecuteOptions {
  std::string hook;      ///< "", "pipe" (strict), "pipe,any"
  unsigned threads = 0;  ///< 0: as many as the machine that executes has
  bool error_if_grown = false;
  bool strict_stability = false;  ///< refuse files that are open for writing
  bool no_kernel = false;         ///< no hook in the kernel
  bool polite = false;            ///< leave the page cache as it was found
  double max_cpus = 0;            ///< busy on average; 0: no limit
  double max_cpu_share = 0;       ///< the same, of all CPUs of the machine that executes (0 .. 1)
  /// The executor may answer RunningQuery::rather_ship() instead of computing.
  std::optional<ShipOffer> ship_offer{};
  /// The executor ships, and this is why. Does not travel.
  std::string why_shipped{};

  [[nodiscard]] std::string to_json() const;
  static Result<ExecuteOptions> from_json(std::string_view text);
};

struct QueryProgress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  double seconds = 0;
  std::string hook;
};

/// One query under way. next() and schema() are called from one thread; cancel() and progress()
/// from any. Destroying it cancels what still runs and waits for it (at most about 100 ms).
class RunningQuery {
 public:
  virtual ~RunningQuery() = default;
  /// The result's schema, known since bind. The caller owns and releases `*out`.
  virtual Status schema(ArrowSchema* out) = 0;
  /// Why the file should be sent instead: then nothing comes of this query. Usually empty. Only
  /// where ExecuteOptions::ship_offer was made.
  [[nodiscard]] virtual std::string rather_ship() const { return {}; }
  /// Next batch (a struct array); false at the end. The first call runs the scan. Errors: see
  /// ErrorKind; after an error all rows handed out before are void.
  virtual Result<bool> next(ArrowArray* out) = 0;
  virtual void cancel() = 0;
  [[nodiscard]] virtual QueryProgress progress() const = 0;
  /// Statistics as a JSON object; complete once next() has returned false.
  [[nodiscard]] virtual std::string statistics_json() const = 0;
};

/// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Parses, opens the file, binds; does not scan yet. Errors: refused, io, permission, data,
  /// usage, network, hook.
  virtual Result<std::unique_ptr<RunningQuery>> execute(std::string_view sql,
                                                        const ExecuteOptions& options) = 0;
  /// Raw bytes of a file, for who computes for itself. Errors: as source::FileOpener; usage where
  /// nobody gives files.
  virtual Result<std::unique_ptr<source::FileStream>> read_file(
      const source::FileRequest& request) {
    return Error{ErrorKind::usage, "no files are given here: " + request.path, {}, 0, std::nullopt};
  }
  /// Has `bytes` sent that mean nothing, to see how fast the way to here is; returns how many came.
  /// Errors: network; usage where there is no way.
  virtual Result<uint64_t> pull_bytes(uint64_t bytes) {
    (void)bytes;
    return Error{ErrorKind::usage, "there is no link to this process itself", {}, 0, std::nullopt};
  }
};

}  // namespace grapnel::wire
