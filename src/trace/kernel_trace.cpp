#include "trace/kernel_trace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "lower/bpf/kernel_btf.h"
#include "trace_bpf.embed.h"

namespace grapnel::trace {
namespace {

constexpr const char* kCounts[] = {"gr_counts_even", "gr_counts_odd"};
constexpr uint32_t kBatchRows = 1024;
/// Handed over in one call, so that its caller can look around.
constexpr int64_t kMostEvents = 65536;
constexpr int64_t kWorthWaking = 4096;
constexpr auto kGather = std::chrono::milliseconds(10);
/// Where user space cannot ask the kernel: far longer than any of our programs runs.
constexpr auto kLongestRun = std::chrono::milliseconds(50);

/// After this nobody uses a map that was current before.
void wait_for_programs() {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
    std::this_thread::sleep_for(kLongestRun);
}

/// Empties a map of counts that nobody writes.
std::vector<Row> drain(int map) {
  std::vector<Row> rows;
  std::vector<gr_count_key> keys(kBatchRows);
  std::vector<gr_counts> counts(kBatchRows);
  uint32_t position = 0;
  uint32_t* from = nullptr;
  for (;;) {
    auto count = static_cast<uint32_t>(keys.size());
    const int failed = bpf_map_lookup_and_delete_batch(map, from, &position, keys.data(),
                                                       counts.data(), &count, nullptr);
    if (failed != 0 && errno == ENOSPC) {  // more keys in one place of the table than there is room
      keys.resize(keys.size() * 2);
      counts.resize(keys.size());
      continue;
    }
    for (uint32_t i = 0; i < count && (failed == 0 || errno == ENOENT); i++)
      rows.push_back({keys[i], counts[i]});
    if (failed != 0) return rows;
    from = &position;
  }
}

template <typename Key>
void forget_keys(int map, const std::function<bool(const Key&)>& is_needed) {
  std::vector<Key> unneeded;
  Key key{};
  const Key* before = nullptr;
  while (bpf_map_get_next_key(map, before, &key) == 0) {
    if (!is_needed(key)) unneeded.push_back(key);
    before = &key;
  }
  for (const Key& old : unneeded) bpf_map_delete_elem(map, &old);
}

void add_words(void* sum, const void* part, size_t bytes) {
  auto* to = static_cast<uint64_t*>(sum);
  const auto* from = static_cast<const uint64_t*>(part);
  for (size_t i = 0; i < bytes / sizeof *to; i++) to[i] += from[i];
}

}  // namespace

void KernelTrace::RingCloser::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

KernelTrace::KernelTrace(lower::bpf::Object object, std::vector<Choice> choices)
    : object_(std::move(object)), choices_(std::move(choices)) {}

KernelTrace::~KernelTrace() = default;

Result<std::unique_ptr<KernelTrace>> KernelTrace::start(const Options& options) {
  GRAPNEL_TRY(std::vector<Choice> choices, choose_places(options.layers));
  GRAPNEL_TRY(const auto types, lower::bpf::KernelBtf::open());
  lower::bpf::LoadOptions load;
  load.name = "grapnel_trace";
  load.btf_path = types.path();
  load.map_elements = 0;
  load.map_sizes = {{"gr_ring", options.ring_bytes}};
  load.programs = {"gr_trace_begin", "gr_trace_file"};
  for (const Choice& choice : choices)
    if (choice.place != nullptr)
      load.programs.insert(load.programs.end(), choice.place->programs.begin(),
                           choice.place->programs.end());
  GRAPNEL_TRY(auto object, lower::bpf::Object::load(embedded::trace_bpf(), load));
  std::unique_ptr<KernelTrace> trace(new KernelTrace(std::move(object), std::move(choices)));
  GRAPNEL_CHECK(trace->prepare(options));
  GRAPNEL_CHECK(trace->attach());
  return trace;
}

Status KernelTrace::prepare(const Options& options) {
  GRAPNEL_TRY(controls_, object_.map("gr_controls"));
  gr_control& wanted = control();
  wanted.pid = options.pid;
  wanted.filter = options.filter ? 1 : 0;
  wanted.only_wanted = options.only_wanted ? 1 : 0;
  wanted.pseudo = options.pseudo_files ? 1 : 0;
  wanted.events = options.events ? 1 : 0;
  gr_begin_request begin{};
  GRAPNEL_CHECK(
      lower::bpf::run_syscall_program(object_.program("gr_trace_begin"), &begin, sizeof begin));
  if (begin.done == 0)
    return Error{ErrorKind::hook, "this kernel does not tell the PID namespace of a process", ""};
  if (options.measure_cost) {
    cost_switch_ = UniqueFd(bpf_enable_stats(BPF_STATS_RUN_TIME));
    if (!cost_switch_.valid())
      return Error::system("cannot switch on the measuring of BPF programs", errno,
                           "it needs CAP_SYS_ADMIN");
  }
  if (!options.events) return ok_status();
  const auto take = [](void* context, void* data, size_t size) {
    auto* self = static_cast<KernelTrace*>(context);
    if (size >= sizeof(gr_event)) self->take_event_(*static_cast<const gr_event*>(data));
    return --self->events_left_ > 0 ? 0 : -1;  // enough: what remains comes with the next call
  };
  ring_.reset(ring_buffer__new(object_.map_descriptor("gr_ring"), take, this, nullptr));
  if (!ring_) return Error::system("cannot map the ring of events", errno);
  return ok_status();
}

Status KernelTrace::attach() {
  for (const Choice& choice : choices_) {
    if (choice.place == nullptr) continue;
    for (const std::string_view program : choice.place->programs) {
      GRAPNEL_TRY(auto link, object_.attach(std::string(program)));
      links_.push_back(std::move(link));
    }
  }
  return ok_status();
}

std::vector<Row> KernelTrace::take_rows() {
  const uint32_t turn = control().turn;
  __atomic_store_n(&control().turn, turn ^ 1, __ATOMIC_RELEASE);
  wait_for_programs();
  return drain(object_.map_descriptor(kCounts[turn]));
}

gr_tally KernelTrace::tally() const {
  gr_tally sum{};
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return sum;
  std::vector<gr_tally> tallies(static_cast<size_t>(cpus));
  const uint32_t zero = 0;
  if (bpf_map_lookup_elem(object_.map_descriptor("gr_tallies"), &zero, tallies.data()) != 0)
    return sum;
  for (const gr_tally& one : tallies) add_words(&sum, &one, sizeof sum);
  return sum;
}

std::optional<gr_name> KernelTrace::name(const gr_file_id& file) const {
  gr_name name{};
  if (bpf_map_lookup_elem(object_.map_descriptor("gr_names"), &file, &name) != 0)
    return std::nullopt;
  return name;
}

std::optional<gr_process> KernelTrace::process(const gr_process_id& process) const {
  gr_process found{};
  if (bpf_map_lookup_elem(object_.map_descriptor("gr_processes"), &process, &found) != 0)
    return std::nullopt;
  return found;
}

void KernelTrace::decide(const gr_file_id& file, bool wanted) const {
  auto known = name(file);
  if (!known) return;
  known->state = wanted ? GR_NAME_WANTED : GR_NAME_UNWANTED;
  bpf_map_update_elem(object_.map_descriptor("gr_names"), &file, &*known, BPF_EXIST);
}

void KernelTrace::want(int descriptor) const {
  gr_file_request request{};
  request.fd = static_cast<gr_u32>(descriptor);
  // A file of a kind that is not traced is none that is missed.
  (void)lower::bpf::run_syscall_program(object_.program("gr_trace_file"), &request, sizeof request);
}

void KernelTrace::forget(const std::function<bool(const gr_file_id&)>& file_is_needed,
                         const std::function<bool(const gr_process_id&)>& process_is_needed) const {
  forget_keys<gr_file_id>(object_.map_descriptor("gr_names"), file_is_needed);
  forget_keys<gr_process_id>(object_.map_descriptor("gr_processes"), process_is_needed);
}

uint64_t KernelTrace::take_events(int timeout_ms,
                                  const std::function<void(const gr_event&)>& take) {
  if (!ring_) return 0;
  take_event_ = take;
  events_left_ = kMostEvents;
  // Not by poll(), which returns for every single event: then both sides would do nothing but
  // change places. What gathers in this time is a small part of the ring.
  ring_buffer__consume(ring_.get());
  if (kMostEvents - events_left_ < kWorthWaking && timeout_ms > 0) {
    std::this_thread::sleep_for(std::min(std::chrono::milliseconds(timeout_ms), kGather));
    ring_buffer__consume(ring_.get());
  }
  return static_cast<uint64_t>(kMostEvents - events_left_);
}

std::vector<ProgramCost> KernelTrace::costs() const {
  std::vector<ProgramCost> costs;
  if (!cost_switch_.valid()) return costs;
  for (const Choice& choice : choices_) {
    if (choice.place == nullptr) continue;
    for (size_t i = 0; i < choice.place->programs.size(); i++) {
      bpf_prog_info info{};
      uint32_t size = sizeof info;
      const int program = object_.program(std::string(choice.place->programs[i]));
      if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) continue;
      costs.push_back({std::string(choice.place->sections[i]), info.run_cnt, info.run_time_ns});
    }
  }
  return costs;
}

}  // namespace grapnel::trace
