// The programs of a trace in the kernel, and what they have counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "lower/bpf/object.h"
#include "trace/layout.h"
#include "trace/points.h"

struct ring_buffer;

namespace grapnel::trace {

struct Options {
  std::vector<gr_layer> layers;
  uint32_t pid = 0;           ///< in the caller's PID namespace; 0: all
  bool filter = false;        ///< files are left out as soon as decide() says so
  bool only_wanted = false;   ///< files that are neither opened nor named by want() are left out
  bool pseudo_files = false;  ///< of /proc, /sys and the like, too
  bool events = false;
  uint32_t ring_bytes = 4096;
  bool measure_cost = false;
};

struct Row {
  gr_count_key key;
  gr_counts counts;
};

struct ProgramCost {
  std::string program;
  uint64_t runs;
  uint64_t run_ns;
};

/// Used by one thread. What it holds in the kernel goes away with it, or with the process.
class KernelTrace {
 public:
  /// Loads and attaches. Errors: permission, hook, io.
  static Result<std::unique_ptr<KernelTrace>> start(const Options& options);
  ~KernelTrace();
  KernelTrace(const KernelTrace&) = delete;
  KernelTrace& operator=(const KernelTrace&) = delete;

  /// What was counted since the last call. Takes as long as the kernel needs until nobody counts
  /// any more in the map that is emptied: some milliseconds.
  std::vector<Row> take_rows();
  /// Since the start.
  [[nodiscard]] gr_tally tally() const;

  /// What the kernel knows now.
  [[nodiscard]] std::optional<gr_name> name(const gr_file_id& file) const;
  [[nodiscard]] std::optional<gr_process> process(const gr_process_id& process) const;
  /// With Options::filter: whether the file is one of those that are asked for.
  void decide(const gr_file_id& file, bool wanted) const;
  /// The same for a file that the caller has opened, and nobody else perhaps.
  void want(int descriptor) const;
  /// Makes room: forgets names of files and processes of which `is_needed` says no.
  void forget(const std::function<bool(const gr_file_id&)>& file_is_needed,
              const std::function<bool(const gr_process_id&)>& process_is_needed) const;

  /// Hands over what there is, at most 65536 events; where that is little, what comes in the next
  /// 10 ms, too (`timeout_ms` at most).
  uint64_t take_events(int timeout_ms, const std::function<void(const gr_event&)>& take);

  [[nodiscard]] const std::vector<Choice>& choices() const { return choices_; }
  [[nodiscard]] std::vector<ProgramCost> costs() const;

 private:
  struct RingCloser {
    void operator()(ring_buffer* ring) const;
  };
  KernelTrace(lower::bpf::Object object, std::vector<Choice> choices);
  Status prepare(const Options& options);
  Status attach();
  [[nodiscard]] gr_control& control() const { return controls_.element<gr_control>(0); }

  lower::bpf::Object object_;
  std::vector<Choice> choices_;
  lower::bpf::MapMemory controls_;
  UniqueFd cost_switch_;
  std::unique_ptr<ring_buffer, RingCloser> ring_;
  std::function<void(const gr_event&)> take_event_;
  int64_t events_left_ = 0;              ///< that this call may still hand over
  std::vector<lower::bpf::Link> links_;  ///< go first
};

}  // namespace grapnel::trace
