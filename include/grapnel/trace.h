// Who reads which file of this machine, by which layer of the kernel, and what the device had to do
// for it: counted in the kernel, for all processes, or event by event.
//
//   auto trace = grapnel::api::Trace::start({});
//   for (;;) { sleep(1); for (const auto& row : trace->interval().rows) ...; }
//
// While a Trace lives, its programs are attached; when it is destroyed, or its process ends in any
// way, nothing is left. docs/trace.md says what each layer sees, and what it does not.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "grapnel/grapnel.h"

namespace grapnel::api {

enum class TraceLayer : uint8_t { all, syscall, cache, block };

struct TraceOptions {
  /// Only files whose path fits, as a shell would expand it ("*" does not cross "/"); empty: all.
  /// Relative patterns begin in the working directory.
  std::string file_glob;
  uint32_t pid = 0;  ///< only this process, as the caller's PID namespace calls it; 0: all
  TraceLayer layer = TraceLayer::all;
  bool events = false;             ///< beside the sums: for Trace::events()
  uint32_t ring_bytes = 16 << 20;  ///< for events on their way: a power of two, from 4096
  bool measure_cost = false;       ///< of the programs in the kernel: for Trace::costs()
};

struct TraceProcess {
  enum class Kind : uint8_t {
    process,
    kernel_for,  ///< a kernel thread, for the process that is named
    kernel,      ///< a kernel thread; for whom is not known
    unknown,     ///< asked before the trace began
    others,      ///< all rows for which there was no room
  };
  Kind kind = Kind::process;
  uint32_t pid = 0;       ///< in the caller's PID namespace; 0: not seen there
  std::string command;    ///< at most 15 bytes, any bytes; empty: not known
  uint64_t start_ns = 0;  ///< since boot: tells processes of the same number apart
  bool operator==(const TraceProcess&) const = default;
};

struct TraceFile {
  /// As the process that opened it sees it; any bytes. Where no name is known: "inode 12 on 8:1",
  /// "block device 8:1", "file not known, on 8:1", and `named` is false.
  std::string path;
  bool named = false;
  uint64_t inode = 0;  ///< 0: a block device, or not known
  uint32_t major = 0;  ///< of the file system's device, as the kernel calls it
  uint32_t minor = 0;
  bool operator==(const TraceFile&) const = default;
};

/// All bytes are bytes of the file.
struct TraceCounts {
  uint64_t opens = 0;
  uint64_t calls = 0;         ///< that read or send, io_uring's reads among them
  uint64_t asked_bytes = 0;   ///< by these calls
  uint64_t read_bytes = 0;    ///< that they returned to the process
  uint64_t sent_bytes = 0;    ///< by sendfile, splice, copy_file_range
  uint64_t cached_bytes = 0;  ///< of both, that had been in the page cache before
  uint64_t direct_bytes = 0;  ///< of read_bytes, past the page cache (O_DIRECT)
  uint64_t maps = 0;          ///< calls of mmap
  uint64_t mapped_bytes = 0;  ///< by these calls
  uint64_t faults = 0;        ///< of mapped pages
  uint64_t added_bytes = 0;   ///< to the page cache, whole pages
  uint64_t device_bytes = 0;  ///< that a device had to read because of this process
  uint64_t requests = 0;      ///< of block devices, that held some of these bytes
  uint64_t failed_requests = 0;
  void add(const TraceCounts& other);
};

struct TraceRow {
  TraceProcess process;
  TraceFile file;
  TraceCounts counts;
};

/// Element n counts what took [2^n, 2^(n+1)) ns.
using TraceHistogram = std::array<uint64_t, 40>;

/// What belongs to no row.
struct TraceTotals {
  TraceHistogram syscall{};          ///< from entering a call that reads or sends to leaving it
  TraceHistogram cache{};            ///< from entering it to the page cache having the first pages
  TraceHistogram block{};            ///< from submission to completion of a block read
  uint64_t events = 0;               ///< that the programs have counted
  uint64_t requests = 0;             ///< read requests of block devices that hold any traced bytes
  uint64_t requests_many_files = 0;  ///< of these, that held more than one file
  uint64_t requests_many_processes = 0;  ///< of these, that several processes asked for
  uint64_t lost_events = 0;  ///< not sent: events() was called too seldom. The sums have them.
  uint64_t lost_rows = 0;    ///< events counted in the row `others` for lack of room
  uint64_t lost_calls = 0;   ///< not counted, for lack of room for threads
  uint64_t lost_reads = 0;   ///< block reads not counted, for lack of room
  uint64_t lost_names = 0;   ///< names not kept, for lack of room
};

struct TraceInterval {
  double seconds = 0;          ///< its length
  std::vector<TraceRow> rows;  ///< with any activity; in no order
  TraceTotals totals;
};

struct TraceEvent {
  enum class Kind : uint8_t { open, read, send, map, cache_add, fault, block };
  Kind kind = Kind::read;
  uint64_t time_ns = 0;  ///< CLOCK_MONOTONIC, at its end
  TraceProcess process;
  TraceFile file;
  bool has_offset = false;
  uint64_t offset = 0;
  uint64_t asked_bytes = 0;
  uint64_t bytes = 0;
  uint64_t cached_bytes = 0;
  uint64_t latency_ns = 0;  ///< 0: an event without length
  uint64_t request = 0;     ///< block: the same for all parts of a request
  int error = 0;            ///< errno
};
/// "open", "read", "send", "map", "add", "fault", "block"
const char* to_string(TraceEvent::Kind kind);

/// What is looked at, and where; or why it cannot be on this kernel.
struct TraceSight {
  std::string what;   ///< "page faults on mapped files"
  std::string place;  ///< "raw_tp/mm_filemap_fault"; empty: not seen
  std::string why;    ///< not
};

/// What a program in the kernel has cost.
struct TraceCost {
  std::string program;
  uint64_t runs = 0;
  double seconds = 0;
};

/// Used by one thread at a time. Movable.
class Trace {
 public:
  /// Loads and attaches. Takes some 50 ms, and about 40 MB of kernel memory beside the ring.
  /// Errors: permission (names the missing right), usage, hook (this kernel lacks what the asked
  /// layer needs).
  static Result<Trace> start(const TraceOptions& options);

  /// What has happened since the last call, or since start().
  TraceInterval interval();
  /// What all intervals that were taken give together; its rows are bounded, like those of an
  /// interval.
  [[nodiscard]] TraceInterval sum() const;
  /// Calls `take` for what there is, at most 65536 events; where that is little, for what comes in
  /// the next 10 ms, too (`timeout_ms` at most). An event is valid during the call. Returns their
  /// number.
  uint64_t events(int timeout_ms, const std::function<void(const TraceEvent&)>& take);
  [[nodiscard]] std::vector<TraceSight> sights() const;
  /// Empty without TraceOptions::measure_cost.
  [[nodiscard]] std::vector<TraceCost> costs() const;

  Trace(Trace&&) noexcept;
  Trace& operator=(Trace&&) noexcept;
  ~Trace();

 private:
  struct State;
  explicit Trace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace grapnel::api
