// The latency model: what an operation on a file costs, shipped to the client or run at the server.
//
//   latency of shipping = connect + request + [ storage | transfer | processing at the client ]
//   latency of pushing  = connect + request + [ storage | processing at the server ] + result
//
// A result of rows in the file's order leaves while the server still reads: then it is in brackets.
// What stands in brackets overlaps (blocks are pipelined): the slowest of them counts in full, the
// others once per block. Rates are bytes per second, times are seconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grapnel/grapnel.h"

namespace grapnel::api {

/// What a place costs per byte, one thread, cached bytes, the op included.
struct ProcessingRate {
  std::string name;  ///< "read", "pipe"
  double bytes_per_second = 0;
  bool direct_io = false;    ///< goes around the page cache: cached bytes too come from the device
  double setup_seconds = 0;  ///< once per query: loading and attaching programs, opening
};

struct EstimateInput {
  double file_bytes = 10e9;
  double result_bytes = 100;
  bool result_streams = false;  ///< rows leave while the server still reads
  double cached_share = 0;      ///< of the file, 0 .. 1

  double devices = 1;  ///< the file, or the files, lie on so many; read at the same time
  double device_bytes_per_second = 2e9;  ///< of one

  double link_bytes_per_second = 1e9;
  double rtt_seconds = 0.010;
  double connect_round_trips = 0;  ///< 0: connection is open; 1: TCP; 2: TCP and TLS 1.3
  double tcp_window_bytes = 0;     ///< 0: as much as the link can hold

  double block_bytes = 1 << 20;  ///< what goes through the pipeline at once
  double plan_seconds = 0.002;   ///< parsing, binding, fetching the compiled program

  double client_bytes_per_second = 2.5e9;  ///< of the program at the client, per thread
  double client_threads = 1;
  double tool_bytes_per_second = 0.35e9;  ///< of usual tools (awk) at the server, one thread
  double server_threads = 1;
  std::vector<ProcessingRate> hooks;  ///< see default_estimate()

  /// As a bound: processing inside the device. Defaults: relative to the device's rate, as in Do et
  /// al., "Query processing on smart SSDs", SIGMOD 2013: 1560 MB/s inside against 550 MB/s outside,
  /// and 1.7 times the outside rate when the device's own processor computed TPC-H Q6. 0: that.
  double ssd_internal_bytes_per_second = 0;
  double ssd_compute_bytes_per_second = 0;
};

struct EstimateTerm {
  std::string
      name;  ///< "connect", "request", "plan", "setup", "storage", "transfer", "processing", ...
  double seconds = 0;  ///< of the term alone
  double counted = 0;  ///< its part of the total: less, where others overlap it
};

struct Approach {
  std::string name;  ///< "ship, then process", "push: pipe, 2 threads"
  std::vector<EstimateTerm> terms;
  double total_seconds = 0;
  std::string bottleneck;  ///< the term with the largest part
};

/// Names of approaches: shipping with processing while the data arrives, and the beginning of those
/// that push by a hook.
inline constexpr char kShipPipelined[] = "ship, process while it arrives";
inline constexpr char kPushBy[] = "push: ";

/// Hook rates that scans of this process have measured, else built-in ones. Thread-safe.
EstimateInput default_estimate();

/// All ways, in the order: shipping, tools at the server, each hook with one thread and with
/// server_threads, the programmable SSD. ErrorKind::usage for numbers that make no sense.
Result<std::vector<Approach>> estimate(const EstimateInput& input);

/// A stacked bar per way, self-contained.
std::string estimate_svg(const EstimateInput& input, const std::vector<Approach>& approaches);

}  // namespace grapnel::api
