#include "hooks/block/lanes.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "lower/bpf/lowering.h"

namespace grapnel::hooks::block {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kNowhere = ~uint64_t{0};

template <typename T>
std::atomic_ref<T> shared(T& value) {
  return std::atomic_ref<T>(value);
}

}  // namespace

Result<Lanes> Lanes::open(kernel::KernelProgram& program, uint64_t out_limit_bytes) {
  GRAPNEL_TRY(auto places, program.take_places(GR_RANGE_LANES));
  const lower::bpf::Object& object = places.front().object();
  GRAPNEL_TRY(auto ranges, object.map("gr_ranges"));
  GRAPNEL_TRY(auto lanes, object.map("gr_lanes"));
  return Lanes(program, std::move(places), std::move(ranges), std::move(lanes), out_limit_bytes);
}

// All lanes are ours until an extent is watched.
Lanes::Lanes(kernel::KernelProgram& program, std::vector<kernel::WorkerPlace> places,
             lower::bpf::MapMemory ranges, lower::bpf::MapMemory lanes, uint64_t out_limit_bytes)
    : program_(&program),
      places_(std::move(places)),
      ranges_(std::move(ranges)),
      lanes_(std::move(lanes)),
      out_limit_bytes_(out_limit_bytes) {
  for (const auto& place : places_) take(lane(place));
}

Lanes::~Lanes() {
  if (places_.empty()) return;  // moved away
  stop();
  for (const auto& place : places_) give_back(lane(place));
}

gr_range& Lanes::range() const { return ranges_.element<gr_range>(places_.front().number()); }

gr_lane& Lanes::lane(const kernel::WorkerPlace& place) const {
  return lanes_.element<gr_lane>(place.number());
}

void Lanes::take(gr_lane& lane) const {
  while (shared(lane.busy).exchange(1) != 0) sched_yield();  // a run is over in a millisecond
}

void Lanes::give_back(gr_lane& lane) { shared(lane.busy).store(0); }

void Lanes::watch(const Extent& extent, uint64_t data_begin) {
  cores_.clear();
  handed_out_.clear();
  gr_range& range = this->range();
  range.first_page = (extent.begin + kPageBytes - 1) / kPageBytes;
  // A page that the extent shares with the next one is left to user space.
  range.end_page =
      extent.last ? (extent.end + kPageBytes - 1) / kPageBytes : extent.end / kPageBytes;
  range.end = extent.end;
  range.data_begin = data_begin;
  range.out_bytes = out_limit_bytes_;
  range.missed = {};
  for (size_t i = 0; i < places_.size(); i++) {
    range.lanes[i] = places_[i].number();
    gr_lane& lane = this->lane(places_[i]);
    lane.core_count = lane.run_ns = lane.longest_run_ns = 0;
    lower::bpf::reset_worker(places_[i].worker(), kNowhere);
    give_back(lane);
  }
  stopped_ = false;
  shared(range.armed).store(1);
}

void Lanes::stop() {
  if (stopped_) return;
  shared(range().armed).store(0);
  for (const auto& place : places_) take(lane(place));
  stopped_ = true;
}

void Lanes::make_room() {
  for (const auto& place : places_) {
    gr_lane& lane = this->lane(place);
    const bool much = shared(place.worker().out_bytes).load() > out_limit_bytes_ / 2 ||
                      shared(lane.core_count).load() > GR_LANE_CORES / 2;
    if (!much) continue;
    take(lane);
    empty(place, false);
    give_back(lane);
  }
}

void Lanes::empty(const kernel::WorkerPlace& place, bool finished) {
  gr_lane& lane = this->lane(place);
  gr_worker& worker = place.worker();
  if (lane.core_count > 0) {
    gr_core& last = lane.cores[lane.core_count - 1];
    for (const gr_core* core = lane.cores; core != &last; core++)
      cores_.push_back({core->begin, core->end});
    const gr_core open = last;
    lane.cores[0] = open;
    lane.core_count = 1;
    if (finished) {
      const bool is_long = worker.long_record != 0;
      cores_.push_back(
          {open.begin, is_long ? worker.long_begin : worker.file_offset - worker.carry});
      lane.core_count = 0;
    }
  }
  if (worker.out_bytes > 0) {
    handed_out_.emplace_back(reinterpret_cast<const char*>(place.out().bytes), worker.out_bytes);
    worker.out_bytes = 0;
  }
}

Result<std::vector<Span>> Lanes::collect(kernel::HandedOutRecords& exact, ExtentResult& result) {
  uint64_t records = 0;
  for (const auto& place : places_) {
    const gr_worker& worker = place.worker();
    if (worker.status != GR_STATUS_OK) {
      const bool full = worker.status == GR_STATUS_OUT_FULL;
      return Error{ErrorKind::hook,
                   std::string("the block hook cannot do this part of the file: ") +
                       (full ? "the buffer for records that need the exact form, or pass the "
                               "filter, is full"
                             : "the program in the kernel stopped early"),
                   ""};
    }
    empty(place, true);
    GRAPNEL_CHECK(lower::bpf::add_worker_state(program_->job(), program_->plan(), worker,
                                               place.groups(), result.partial));
    records += worker.records;
    result.counters.cpu_seconds += 1e-9 * static_cast<double>(lane(place).run_ns);
  }
  uint64_t handed_out = 0;
  for (const std::string& out : handed_out_) {
    GRAPNEL_TRY(const uint64_t count, exact.run(out, result));
    handed_out += count;
  }
  handed_out_.clear();
  result.partial.records += records - handed_out;
  result.counters.records += records;
  return std::move(cores_);
}

double Lanes::longest_run_seconds() const {
  uint64_t longest_ns = 0;
  for (const auto& place : places_) longest_ns = std::max(longest_ns, lane(place).longest_run_ns);
  return 1e-9 * static_cast<double>(longest_ns);
}

}  // namespace grapnel::hooks::block
