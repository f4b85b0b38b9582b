#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "grapnel/estimate.h"
#include "hooks/common/rates.h"

namespace grapnel::api {
namespace {

constexpr double kSegmentBytes = 1448;   // of TCP over Ethernet
constexpr double kInitialSegments = 10;  // RFC 6928
constexpr double kRequestBytes = 1000;   // a statement and its frame
constexpr double kSsdInternalFactor = 1560.0 / 550.0;
constexpr double kSsdComputeFactor = 1.7;

/// What a connection carries when it has got going.
double steady_rate(const EstimateInput& in) {
  if (in.tcp_window_bytes <= 0 || in.rtt_seconds <= 0) return in.link_bytes_per_second;
  return std::min(in.link_bytes_per_second, in.tcp_window_bytes / in.rtt_seconds);
}

/// Sending `bytes` without the way there: slow start doubles what is under way once per round trip
/// (RFC 5681) until the link, or the window, is full.
double transfer_seconds(const EstimateInput& in, double bytes) {
  const double rate = steady_rate(in);
  double seconds = 0;
  for (double flight = kInitialSegments * kSegmentBytes;
       bytes > flight && flight < rate * in.rtt_seconds; flight *= 2) {
    bytes -= flight;
    seconds += in.rtt_seconds;
  }
  return seconds + bytes / rate;
}

/// Collects terms; those between begin_overlap() and end_overlap() run at the same time.
class Sum {
 public:
  Sum(std::string name, const EstimateInput& in) : in_(in) { approach_.name = std::move(name); }

  void add(std::string name, double seconds) {
    approach_.terms.push_back({std::move(name), seconds, seconds});
  }

  /// The slowest counts in full; each other one for the block that nobody can work on meanwhile.
  void add_overlapping(const std::vector<EstimateTerm>& terms) {
    const auto slowest =
        std::max_element(terms.begin(), terms.end(),
                         [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
    const double blocks = std::max(1.0, in_.file_bytes / in_.block_bytes);
    for (auto term = terms.begin(); term != terms.end(); ++term) {
      const double counted = term == slowest ? term->seconds : term->seconds / blocks;
      approach_.terms.push_back({term->name, term->seconds, counted});
    }
  }

  Approach finish() {
    const EstimateTerm* largest = nullptr;
    for (const EstimateTerm& term : approach_.terms) {
      approach_.total_seconds += term.counted;
      if (largest == nullptr || term.counted > largest->counted) largest = &term;
    }
    if (largest != nullptr) approach_.bottleneck = largest->name;
    return std::move(approach_);
  }

 private:
  const EstimateInput& in_;
  Approach approach_;
};

/// Until the server begins to work.
void add_beginning(Sum& sum, const EstimateInput& in) {
  sum.add("connect", in.connect_round_trips * in.rtt_seconds);
  sum.add("request", in.rtt_seconds / 2 + kRequestBytes / in.link_bytes_per_second);
  sum.add("plan", in.plan_seconds);
}

double storage_seconds(const EstimateInput& in, double cached_share) {
  const double bytes = in.file_bytes * (1 - cached_share);
  return bytes / (in.devices * in.device_bytes_per_second);
}

/// One way there for the first byte of whatever is sent back.
double way_back(const EstimateInput& in) { return in.rtt_seconds / 2; }

Approach ship(const EstimateInput& in, bool pipelined) {
  Sum sum(pipelined ? kShipPipelined : "ship, then process", in);
  add_beginning(sum, in);
  const EstimateTerm storage{"storage", storage_seconds(in, in.cached_share), 0};
  const EstimateTerm transfer{"transfer", transfer_seconds(in, in.file_bytes), 0};
  const EstimateTerm processing{
      "processing", in.file_bytes / (in.client_bytes_per_second * in.client_threads), 0};
  if (pipelined) {
    sum.add_overlapping({storage, transfer, processing});
  } else {
    sum.add_overlapping({storage, transfer});
    sum.add(processing.name, processing.seconds);
  }
  sum.add("way back", way_back(in));
  return sum.finish();
}

Approach push(const EstimateInput& in, std::string name, double storage, double processing,
              double setup = 0) {
  Sum sum(std::move(name), in);
  add_beginning(sum, in);
  if (setup > 0) sum.add("setup", setup);
  const double result = transfer_seconds(in, in.result_bytes);
  if (in.result_streams) {
    sum.add_overlapping(
        {{"storage", storage, 0}, {"processing", processing, 0}, {"result", result, 0}});
  } else {
    sum.add_overlapping({{"storage", storage, 0}, {"processing", processing, 0}});
    sum.add("result", result);
  }
  sum.add("way back", way_back(in));
  return sum.finish();
}

Approach push_by_hook(const EstimateInput& in, const ProcessingRate& hook, double threads) {
  const std::string many = std::to_string(static_cast<int>(threads));
  return push(in, kPushBy + hook.name + ", " + many + (threads == 1 ? " thread" : " threads"),
              storage_seconds(in, hook.direct_io ? 0 : in.cached_share),
              in.file_bytes / (hook.bytes_per_second * threads), hook.setup_seconds);
}

Approach push_into_device(const EstimateInput& in) {
  const double outside = in.device_bytes_per_second;
  const double internal = in.ssd_internal_bytes_per_second > 0 ? in.ssd_internal_bytes_per_second
                                                               : kSsdInternalFactor * outside;
  const double compute = in.ssd_compute_bytes_per_second > 0 ? in.ssd_compute_bytes_per_second
                                                             : kSsdComputeFactor * outside;
  return push(in, "bound: inside a programmable SSD", in.file_bytes / (in.devices * internal),
              in.file_bytes / (in.devices * compute));
}

std::optional<Error> check(const EstimateInput& in) {
  struct Number {
    const char* name;
    double value;
    bool may_be_zero;
  };
  const Number numbers[] = {{"the size of the file", in.file_bytes, true},
                            {"the size of the result", in.result_bytes, true},
                            {"the number of devices", in.devices, false},
                            {"the rate of a device", in.device_bytes_per_second, false},
                            {"the rate of the link", in.link_bytes_per_second, false},
                            {"the round trip", in.rtt_seconds, true},
                            {"the round trips to connect", in.connect_round_trips, true},
                            {"the TCP window", in.tcp_window_bytes, true},
                            {"the size of a block", in.block_bytes, false},
                            {"the time to plan", in.plan_seconds, true},
                            {"the client's rate", in.client_bytes_per_second, false},
                            {"the client's threads", in.client_threads, false},
                            {"the tools' rate", in.tool_bytes_per_second, false},
                            {"the server's threads", in.server_threads, false},
                            {"the rate inside the SSD", in.ssd_internal_bytes_per_second, true},
                            {"the SSD's computing rate", in.ssd_compute_bytes_per_second, true}};
  for (const Number& number : numbers) {
    if (std::isfinite(number.value) &&
        (number.value > 0 || (number.may_be_zero && number.value == 0)))
      continue;
    return Error{ErrorKind::usage,
                 std::string(number.name) +
                     (number.may_be_zero ? " must not be negative" : " must be more than 0"),
                 {},
                 0,
                 std::nullopt};
  }
  if (!(in.cached_share >= 0 && in.cached_share <= 1))
    return Error{ErrorKind::usage,
                 "the cached share must lie between 0 and 1 (0 % and 100 %)",
                 {},
                 0,
                 std::nullopt};
  for (const ProcessingRate& hook : in.hooks) {
    if (!std::isfinite(hook.setup_seconds) || hook.setup_seconds < 0)
      return Error{ErrorKind::usage,
                   "the time to set up " + hook.name + " must not be negative",
                   {},
                   0,
                   std::nullopt};
    if (!std::isfinite(hook.bytes_per_second) || hook.bytes_per_second <= 0)
      return Error{ErrorKind::usage,
                   "the rate of " + hook.name + " must be more than 0",
                   {},
                   0,
                   std::nullopt};
  }
  return std::nullopt;
}

double per_second(double nanoseconds_per_byte) { return 1e9 / nanoseconds_per_byte; }

}  // namespace

EstimateInput default_estimate() {
  using hooks::Residency;
  EstimateInput in;
  const double program = hooks::program_rate("native").cpu_ns_per_byte;
  const auto add = [&in](const char* name, double ns_per_byte, bool direct_io) {
    in.hooks.push_back({name, per_second(ns_per_byte), direct_io, hooks::setup_seconds(name)});
  };
  add("read", hooks::rate("read", Residency::cached, 0).cpu_ns_per_byte + program, false);
  add("direct", hooks::rate("direct", Residency::uncached, 0).cpu_ns_per_byte + program, true);
  for (const char* name : {"pipe", "pagecache", "sendfile", "syscall"})
    add(name, hooks::rate(name, Residency::cached, 0).cpu_ns_per_byte, false);
  return in;
}

Result<std::vector<Approach>> estimate(const EstimateInput& in) {
  if (auto wrong = check(in)) return *std::move(wrong);
  std::vector<Approach> all{ship(in, false), ship(in, true),
                            push(in, "tools at the server", storage_seconds(in, in.cached_share),
                                 in.file_bytes / in.tool_bytes_per_second)};
  for (const ProcessingRate& hook : in.hooks) {
    all.push_back(push_by_hook(in, hook, 1));
    if (in.server_threads > 1) all.push_back(push_by_hook(in, hook, in.server_threads));
  }
  all.push_back(push_into_device(in));
  return all;
}

}  // namespace grapnel::api
