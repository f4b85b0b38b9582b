// Standing queries: SQL on a file, computed from what other, unmodified processes read of it. The
// watch adds no I/O of its own: it sees in the kernel which pages others read, and computes those
// that are still in the page cache.
//
//   auto watch = grapnel::api::Watch::open({"SELECT count(*) FROM 'big.csv'"}, {});
//   watch->run(&cancel, [&] { show(watch->state()); });
//   ArrowArrayStream answer;
//   watch->answer(0, &answer);      // over the records that are covered
//
// A record counts if and only if all its bytes, its end, and the byte before it (or the beginning
// of the data) are covered and it is known whether it begins inside quotes; and each counts once,
// whatever is read again. docs/watch.md has the rules and the blind spots.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "grapnel/grapnel.h"

namespace grapnel::api {

/// What a watch holds on to when files are renamed or replaced. (Written to, truncated or grown:
/// the statement ends with ErrorKind::changed, whatever is said here.)
enum class Follow : uint8_t {
  path,   ///< the path must go on naming the same file; else ErrorKind::changed
  inode,  ///< the file that was opened, whatever happens to its name
};

enum class ReadersBy : uint8_t { none, pid, comm, cgroup };

struct WatchOptions {
  double seconds = 0;          ///< end after so long; 0: no limit
  bool until_covered = false;  ///< end when every statement is fully covered
  bool complete = false;       ///< at the end read what is missing, so that everything is covered
  Follow follow = Follow::path;
  ReadersBy readers_by = ReadersBy::none;
  uint64_t memory_bytes = 64 << 20;  ///< for marks, edges of covered parts, and the like
  /// Share of one CPU that the programs in the kernel may take from readers (0.05: 5 %); 0: no
  /// bound. Above it events are left out at random, and coverage suffers.
  double max_slowdown = 0;
};

/// Bytes [begin, end) of a file.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// What processes did to the file while it was watched.
struct WatchReader {
  std::string name;      ///< as asked for: "4711", a command's name, a cgroup's path
  uint64_t process = 0;  ///< ReadersBy::pid: its number as we see it; 0: in no namespace of ours
  double started_seconds = 0;  ///< ReadersBy::pid: since boot; numbers come again
  std::string comm;            ///< ReadersBy::pid
  uint64_t asked_bytes = 0;    ///< that read calls returned to it
  uint64_t first_bytes = 0;    ///< in pages that it was the first to touch during the watch
  uint64_t caused_bytes = 0;   ///< in pages that came from the device for it, read ahead included
};

/// One statement of a watch.
struct WatchedStatement {
  std::string sql;
  std::string path;
  std::string table;        ///< how the file is read: csv('f.tbl', delim => '|', columns => '...')
  std::string program;      ///< "native avx512", "interpreter"
  std::string stability;    ///< "leased", "checked", "open for writing"
  uint64_t data_bytes = 0;  ///< of the file, without its header
  uint64_t covered_bytes = 0;    ///< seen
  uint64_t counted_bytes = 0;    ///< of whole records among them, which the answer is of
  uint64_t records = 0;          ///< counted
  uint64_t unknown_bytes = 0;    ///< seen, but it is not known whether they begin inside quotes
  uint64_t completed_bytes = 0;  ///< that WatchOptions::complete has read
  bool complete = false;         ///< every record is counted
  std::optional<Error> error;    ///< ended it; there is no answer then
  // Of the file; the same for all statements on it:
  uint64_t asked_bytes = 0;    ///< that read calls of others returned
  uint64_t direct_bytes = 0;   ///< of them by O_DIRECT: covered only where they were cached, too
  uint64_t audited_bytes = 0;  ///< in pages that only the end of a call showed
  uint64_t gone_bytes = 0;  ///< in pages that had left the cache when the worker came (each time)
};

/// A place in the kernel where the watch sits, or would like to.
struct WatchPlace {
  std::string where;
  std::string sees;     ///< in words
  std::string refusal;  ///< why it is not there; empty: it is
  std::string without;  ///< what is not seen then
};

struct WatchState {
  double seconds = 0;
  bool ended = false;
  std::vector<WatchedStatement> statements;
  std::vector<WatchPlace> places;
  uint64_t events = 0;            ///< of watched files, in the kernel
  double events_cpu_seconds = 0;  ///< that they took in all, timed by samples
  double slowdown = 0;            ///< of one CPU that readers use, just now: the share they took
  double longest_event_seconds = 0;
  double left_out = 0;            ///< share of events that are left out to keep max_slowdown
  double worker_cpu_seconds = 0;  ///< of the computing thread
  uint64_t device_bytes = 0;      ///< read from the device by the worker (not by `complete`)
  uint64_t lost_pages = 0;        ///< not marked for want of memory
  uint64_t lost_readers = 0;      ///< processes that were too many to be counted, times seen
  uint64_t lost_events = 0;       ///< that the kernel did not show: its programs were in each
                                  ///< other's way; of any file of the machine
};

/// One object, one thread; all but open() and run() also from within run()'s function.
class Watch {
 public:
  /// Opens and binds all statements and starts to see. Statements must be SELECTs of aggregates,
  /// each on one file. Errors: refused, usage, io, permission (what is missing, and the cure), hook
  /// (the kernel gives no place), data, limit.
  static Result<Watch> open(const std::vector<std::string>& statements,
                            const WatchOptions& options);

  /// Watches until the options or `cancel` (may be null) end it; once. A cancelled watch has ended
  /// well. `on_tick` (may be empty) is called some five times a second and must not block. A
  /// statement that fails does not end the others (WatchedStatement::error). Errors: internal, io.
  Result<std::monostate> run(const CancelToken* cancel, const std::function<void()>& on_tick);

  [[nodiscard]] WatchState state() const;
  /// Who read the statement's file, by asked and caused bytes, most first; empty with
  /// ReadersBy::none. Dearer than state(): may look up names in /sys/fs/cgroup.
  [[nodiscard]] std::vector<WatchReader> readers(size_t statement) const;
  /// The statement's answer over the records counted so far. The caller releases `out`. While the
  /// watch runs, ErrorKind::limit where the answer has too many groups to be shown meanwhile.
  Result<std::monostate> answer(size_t statement, ArrowArrayStream* out) const;
  /// What was seen, and the whole records among it, in file order.
  [[nodiscard]] std::vector<ByteRange> covered(size_t statement) const;
  [[nodiscard]] std::vector<ByteRange> counted(size_t statement) const;

  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  struct State;
  explicit Watch(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace grapnel::api
