#include "grapnel/trace.h"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "api/error.h"
#include "api/trace_counts.h"
#include "base/unique_fd.h"
#include "trace/kernel_trace.h"
#include "trace/names.h"

namespace grapnel::api {
namespace {

/// Rows of a sum, and names kept beside the kernel's: some 20 MB.
constexpr size_t kMostRows = 65536;
/// Files that fit a pattern at the start; with more, all files are followed until they are named.
constexpr size_t kMostWanted = 4096;

template <typename Key>
struct HashBytes {
  static_assert(std::has_unique_object_representations_v<Key>);
  size_t operator()(const Key& key) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&key), sizeof key});
  }
};
template <typename Key>
struct SameBytes {
  bool operator()(const Key& a, const Key& b) const { return std::memcmp(&a, &b, sizeof a) == 0; }
};
template <typename Key, typename Value>
using ByKey = std::unordered_map<Key, Value, HashBytes<Key>, SameBytes<Key>>;

std::vector<gr_layer> layers_of(TraceLayer layer) {
  switch (layer) {
    case TraceLayer::syscall:
      return {GR_LAYER_SYSCALL};
    case TraceLayer::cache:
      return {GR_LAYER_CACHE};
    case TraceLayer::block:
      return {GR_LAYER_BLOCK};
    case TraceLayer::all:
      break;
  }
  return {GR_LAYER_SYSCALL, GR_LAYER_CACHE, GR_LAYER_BLOCK};
}

Error usage(std::string message, std::string hint = {}) {
  return Error{ErrorKind::usage, std::move(message), std::move(hint), 0, std::nullopt};
}

std::optional<Error> check(const TraceOptions& options) {
  if (options.ring_bytes < 4096 || (options.ring_bytes & (options.ring_bytes - 1)) != 0)
    return usage("the ring of a trace has a power of two of bytes, from 4096");
  if (options.pid != 0 && ::kill(static_cast<pid_t>(options.pid), 0) != 0 && errno == ESRCH)
    return usage("there is no process " + std::to_string(options.pid));
  return std::nullopt;
}

}  // namespace

struct Trace::State {
  std::unique_ptr<trace::KernelTrace> kernel;
  TraceLayer layer = TraceLayer::all;
  std::optional<trace::PathPattern> pattern;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last = began;
  gr_tally last_tally{};
  ByKey<gr_count_key, TraceRow> sum;
  TraceCounts others;                            ///< of the sum
  trace::Mounts mounts = trace::Mounts::read();  ///< as of the last interval
  // For events, that are many of few files:
  ByKey<gr_file_id, std::pair<TraceFile, bool>> files;  ///< and whether it is asked for
  ByKey<gr_process_id, TraceProcess> processes;

  /// The file, and whether it is asked for.
  std::pair<TraceFile, bool> look_up(const gr_file_id& id) const;
  TraceProcess look_up(const gr_process_id& id) const;
  void add_to_sum(const gr_count_key& key, const TraceRow& row);
  void make_room(const std::vector<trace::Row>& rows) const;
  void add_others(TraceInterval& interval, const gr_tally& now);
  bool to_event(const gr_event& raw, TraceEvent& event);
};

std::pair<TraceFile, bool> Trace::State::look_up(const gr_file_id& id) const {
  const auto name = kernel->name(id);
  trace::FileName text = trace::name_of(id, name, mounts);
  bool wanted = true;
  if (pattern) {
    const bool decided = name && name->state != GR_NAME_UNDECIDED;
    wanted = decided ? name->state == GR_NAME_WANTED : text.known && pattern->fits(text.text);
    if (!decided) kernel->decide(id, wanted);
  }
  return {{std::move(text.text), text.known, id.inode, trace::major_of(id.device),
           trace::minor_of(id.device)},
          wanted};
}

TraceProcess Trace::State::look_up(const gr_process_id& id) const {
  TraceProcess process;
  process.start_ns = id.start_ns;
  gr_process_id named = id;
  switch (id.kind) {
    case GR_PROCESS_KERNEL_FOR:
      process.kind = TraceProcess::Kind::kernel_for;
      named.kind = GR_PROCESS_USER;
      break;
    case GR_PROCESS_KERNEL:
      process.kind = TraceProcess::Kind::kernel;
      break;
    case GR_PROCESS_UNKNOWN:
      process.kind = TraceProcess::Kind::unknown;
      return process;
    default:
      break;
  }
  if (const auto found = kernel->process(named)) {
    process.pid = found->pid;
    const auto* command = reinterpret_cast<const char*>(found->command);
    process.command.assign(command, ::strnlen(command, sizeof found->command));
  }
  return process;
}

void Trace::State::add_to_sum(const gr_count_key& key, const TraceRow& row) {
  const auto known = sum.find(key);
  if (known == sum.end()) {
    if (sum.size() < kMostRows)
      sum.emplace(key, row);
    else
      others.add(row.counts);
    return;
  }
  known->second.counts.add(row.counts);
  // A name may have come, or changed, since.
  if (row.file.named) known->second.file = row.file;
  if (!row.process.command.empty()) known->second.process = row.process;
}

/// The kernel keeps names of files that were in use once: those of today need the room.
void Trace::State::make_room(const std::vector<trace::Row>& rows) const {
  std::unordered_set<gr_file_id, HashBytes<gr_file_id>, SameBytes<gr_file_id>> used_files;
  std::unordered_set<gr_process_id, HashBytes<gr_process_id>, SameBytes<gr_process_id>> used;
  for (const trace::Row& row : rows) {
    used_files.insert(row.key.file);
    used.insert(row.key.process);
  }
  kernel->forget(
      [&](const gr_file_id& file) {
        if (used_files.count(file) != 0) return true;
        const auto name = kernel->name(file);
        return name && name->state == GR_NAME_WANTED;
      },
      [&](const gr_process_id& process) { return used.count(process) != 0; });
}

void Trace::State::add_others(TraceInterval& interval, const gr_tally& now) {
  TraceRow row;
  row.process.kind = TraceProcess::Kind::others;
  row.counts = to_public(difference(now.others, last_tally.others));
  keep_layer(row.counts, layer);
  if (is_empty(row.counts)) return;
  others.add(row.counts);
  interval.rows.push_back(std::move(row));
}

bool Trace::State::to_event(const gr_event& raw, TraceEvent& event) {
  if (!is_of_layer(raw.kind, layer)) return false;
  // Where a file is opened, names may have changed.
  const bool anew = raw.kind == GR_EVENT_OPEN;
  if (files.size() >= kMostRows) files.clear();
  if (processes.size() >= kMostRows) processes.clear();
  auto file = files.find(raw.file);
  if (file == files.end() || anew) file = files.insert_or_assign(raw.file, look_up(raw.file)).first;
  if (!file->second.second) return false;
  auto process = processes.find(raw.process);
  if (process == processes.end() || anew)
    process = processes.insert_or_assign(raw.process, look_up(raw.process)).first;
  event.kind = static_cast<TraceEvent::Kind>(raw.kind);
  event.time_ns = raw.time_ns;
  event.process = process->second;
  event.file = file->second.first;
  event.has_offset = raw.offset != ~uint64_t{0};
  event.offset = event.has_offset ? raw.offset : 0;
  event.asked_bytes = raw.asked_bytes;
  event.bytes = raw.bytes;
  event.cached_bytes = raw.cached_bytes;
  event.latency_ns = raw.latency_ns;
  event.request = raw.request;
  event.error = static_cast<int>(raw.error);
  return true;
}

static_assert(static_cast<int>(TraceEvent::Kind::block) == GR_EVENT_BLOCK,
              "both enumerations list the same kinds in the same order");
static_assert(std::tuple_size_v<TraceHistogram> == GR_LATENCY_BUCKETS);

Result<Trace> Trace::start(const TraceOptions& options) {
  if (auto wrong = check(options)) return *std::move(wrong);
  auto state = std::make_unique<State>();
  state->layer = options.layer;
  trace::Options kernel;
  kernel.layers = layers_of(options.layer);
  kernel.pid = options.pid;
  kernel.events = options.events;
  kernel.ring_bytes = options.events ? options.ring_bytes : 4096;
  kernel.measure_cost = options.measure_cost;
  std::vector<std::string> wanted;
  if (!options.file_glob.empty()) {
    state->pattern.emplace(options.file_glob);
    wanted = state->pattern->existing(kMostWanted);
    kernel.filter = true;
    kernel.only_wanted = wanted.size() < kMostWanted;
    const std::string& text = state->pattern->text();
    kernel.pseudo_files = text.starts_with("/proc/") || text.starts_with("/sys/");
  }
  auto started = trace::KernelTrace::start(kernel);
  if (!started.ok()) return api::to_public(started.error());
  state->kernel = std::move(started).value();
  if (wanted.size() < kMostWanted) {
    for (const std::string& path : wanted) {
      const UniqueFd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
      if (file.valid()) state->kernel->want(file.get());
    }
  }
  state->began = state->last = std::chrono::steady_clock::now();
  return Trace(std::move(state));
}

TraceInterval Trace::interval() {
  State& s = *state_;
  TraceInterval interval;
  const std::vector<trace::Row> rows = s.kernel->take_rows();
  s.mounts = trace::Mounts::read();
  const gr_tally now = s.kernel->tally();
  const auto time = std::chrono::steady_clock::now();
  interval.seconds = std::chrono::duration<double>(time - s.last).count();
  interval.totals = to_public(now, s.last_tally);
  for (const trace::Row& raw : rows) {
    TraceRow row;
    row.counts = to_public(raw.counts);
    keep_layer(row.counts, s.layer);
    if (is_empty(row.counts)) continue;
    auto [file, wanted] = s.look_up(raw.key.file);
    if (!wanted) continue;
    row.file = std::move(file);
    row.process = s.look_up(raw.key.process);
    s.add_to_sum(raw.key, row);
    interval.rows.push_back(std::move(row));
  }
  s.add_others(interval, now);
  if (interval.totals.lost_names > 0) s.make_room(rows);
  s.last = time;
  s.last_tally = now;
  return interval;
}

TraceInterval Trace::sum() const {
  const State& s = *state_;
  TraceInterval sum;
  sum.seconds = std::chrono::duration<double>(s.last - s.began).count();
  sum.totals = to_public(s.last_tally, gr_tally{});
  for (const auto& [key, row] : s.sum) sum.rows.push_back(row);
  if (!is_empty(s.others)) {
    TraceRow row;
    row.process.kind = TraceProcess::Kind::others;
    row.counts = s.others;
    sum.rows.push_back(std::move(row));
  }
  return sum;
}

uint64_t Trace::events(int timeout_ms, const std::function<void(const TraceEvent&)>& take) {
  TraceEvent event;
  uint64_t count = 0;
  state_->kernel->take_events(timeout_ms, [&](const gr_event& raw) {
    if (!state_->to_event(raw, event)) return;
    count++;
    take(event);
  });
  return count;
}

std::vector<TraceSight> Trace::sights() const {
  std::vector<TraceSight> sights;
  for (const trace::Choice& choice : state_->kernel->choices()) {
    TraceSight sight{std::string(choice.sight->what), {}, choice.why};
    if (choice.place != nullptr)
      for (const std::string_view section : choice.place->sections)
        sight.place += (sight.place.empty() ? "" : ", ") + std::string(section);
    sights.push_back(std::move(sight));
  }
  return sights;
}

std::vector<TraceCost> Trace::costs() const {
  std::vector<TraceCost> costs;
  for (const trace::ProgramCost& cost : state_->kernel->costs())
    costs.push_back({cost.program, cost.runs, static_cast<double>(cost.run_ns) * 1e-9});
  return costs;
}

Trace::Trace(std::unique_ptr<State> state) : state_(std::move(state)) {}
Trace::Trace(Trace&&) noexcept = default;
Trace& Trace::operator=(Trace&&) noexcept = default;
Trace::~Trace() = default;

}  // namespace grapnel::api
