#include "hooks/block/block_session.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "hooks/block/device_stack.h"
#include "hooks/common/user_space.h"
#include "lower/bpf/object.h"

namespace grapnel::hooks::block {
namespace {

constexpr size_t kRequestsInFlight = 16;
constexpr uint64_t kLargestRequest = uint64_t{GR_BLOCK_PAGES} * 4096;
/// Of queries that give rows: all records of a request may be handed out.
constexpr uint64_t kRowRequest = 64 << 10;
constexpr uint64_t kPageBytes = 4096;

/// Room that a request needs in a lane: a record takes up to twice its size if it is not tiny.
constexpr uint64_t out_limit_bytes(uint64_t request_bytes) {
  return GR_OUT_BYTES - 2 * request_bytes;
}

Error hook_error(std::string what) {
  return Error{ErrorKind::hook,
               "the block hook cannot do this part of the file: " + std::move(what), ""};
}

bool is_same(const Extent& a, const Extent& b) { return a.begin == b.begin && a.end == b.end; }

uint64_t request_bytes_of(const program::Job& job) {
  const uint64_t limit =
      std::max(readahead_limit_bytes(*job.source) / kPageBytes * kPageBytes, kPageBytes);
  return std::min(limit, job.op->aggregating ? kLargestRequest : kRowRequest);
}

Status watch_file(const kernel::KernelProgram& program, const lower::bpf::Object& object,
                  uint64_t page_constant) {
  gr_watch_request request{static_cast<gr_u32>(program.job().source->file.get()), 0, page_constant};
  GRAPNEL_CHECK(
      lower::bpf::run_syscall_program(object.program("gr_watch_file"), &request, sizeof request));
  if (request.done == 0) return hook_error("the program in the kernel did not find the file");
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<Session>> BlockSession::open(
    std::shared_ptr<const program::Job> job, const std::shared_ptr<const program::Program>& program,
    std::shared_ptr<kernel::KernelProgram> kernel, uint64_t page_constant) {
  const uint64_t out_limit = out_limit_bytes(request_bytes_of(*job));
  GRAPNEL_TRY(Lanes first, Lanes::open(*kernel, out_limit));
  GRAPNEL_TRY(Lanes second, Lanes::open(*kernel, out_limit));
  for (const Lanes* lanes : {&first, &second})
    GRAPNEL_CHECK(watch_file(*kernel, lanes->object(), page_constant));
  QuietFile file(*job->source);
  GRAPNEL_TRY(GapReader gaps, GapReader::open(job, program, file.get()));
  return std::unique_ptr<Session>(
      new BlockSession(std::move(job), std::move(kernel), std::move(file), std::move(gaps),
                       {Stage{std::move(first), {}, {}}, Stage{std::move(second), {}, {}}}));
}

BlockSession::BlockSession(std::shared_ptr<const program::Job> job,
                           std::shared_ptr<kernel::KernelProgram> kernel, QuietFile file,
                           GapReader gaps, std::array<Stage, kStages> stages)
    : job_(job),
      kernel_(std::move(kernel)),
      file_(std::move(file)),
      page_cache_(job->source->file.get()),
      request_bytes_(request_bytes_of(*job)),
      exact_(std::move(job)),
      gaps_(std::move(gaps)),
      stages_(std::move(stages)) {}

Result<ExtentResult> BlockSession::drive(const Extent& extent, const CancelToken& cancel) {
  const ThreadMeter meter;
  ExtentResult result{.partial = job_->make_partial(),
                      .head = {},
                      .tail = {},
                      .has_record_start = extent.first,
                      .start_state = source::QuoteState::outside,
                      .end_state = source::QuoteState::outside,
                      .counters = {}};
  GRAPNEL_TRY(Stage* const stage, stage_for(extent));
  Status done = read(*stage, cancel);
  if (done.ok()) done = compute(*stage, result);
  abandon(*stage);
  if (!done.ok()) return std::move(done).error();
  meter.stop(result.counters, true);
  return result;
}

// --- Stages ---

Result<BlockSession::Stage*> BlockSession::stage_for(const Extent& extent) {
  Stage* free = nullptr;
  for (Stage& stage : stages_) {
    if (stage.requests && is_same(stage.extent, extent)) return &stage;
    // What was announced and not driven is forgotten.
    if (free == nullptr || !stage.requests) free = &stage;
  }
  GRAPNEL_CHECK(begin(*free, extent));
  return free;
}

Status BlockSession::begin(Stage& stage, const Extent& extent) {
  abandon(stage);
  const double cached = page_cache_.cached_share(extent.begin, extent.end).value_or(0.5);
  // What is redone is cached since it came from the device: done from there.
  if (cached == 1 && !extent.again)
    return hook_error("cached: nothing of it comes from the device");
  stage.extent = extent;
  stage.lanes.watch(extent, job_->source->data_begin);
  stage.requests.emplace(*job_->source, file_.get(), extent, request_bytes_, cached > 0);
  return ok_status();
}

void BlockSession::abandon(Stage& stage) {
  stage.lanes.stop();
  stage.requests.reset();
}

// --- An extent ---

void BlockSession::send_requests(Stage& stage, RequestSeparator& separator) {
  const auto in_flight = [&] {
    size_t count = 0;
    for (const Stage& each : stages_) count += each.requests ? each.requests->in_flight() : 0;
    return count;
  };
  while (in_flight() < kRequestsInFlight && stage.requests->send(separator)) {
  }
  Stage& other = &stage == &stages_[0] ? stages_[1] : stages_[0];
  if (announced_ && in_flight() < kRequestsInFlight) {
    if (!(other.requests && is_same(other.extent, *announced_))) (void)begin(other, *announced_);
    announced_.reset();
  }
  while (other.requests && in_flight() < kRequestsInFlight && other.requests->send(separator)) {
  }
}

Status BlockSession::read(Stage& stage, const CancelToken& cancel) {
  RequestSeparator separator;
  send_requests(stage, separator);
  while (stage.requests->in_flight() > 0) {
    if (cancel.cancelled()) return cancelled_error();
    GRAPNEL_CHECK(stage.requests->wait());
    for (Stage& each : stages_)
      if (each.requests) each.lanes.make_room();
    send_requests(stage, separator);
  }
  return ok_status();
}

Status BlockSession::compute(Stage& stage, ExtentResult& result) {
  stage.lanes.stop();
  GRAPNEL_TRY(std::vector<Span> cores, stage.lanes.collect(exact_, result));
  GRAPNEL_TRY(const std::vector<Span> gaps, find_gaps(stage.extent, cores));
  // Events get lost now and then, some in a row (README.md), but not all of them.
  if (cores.empty() && !has_seen_ && !stage.extent.again) {
    return hook_error("nothing of it was seen when it came from the device (" +
                      std::to_string(stage.lanes.missed().no_lane) +
                      " requests found no free lane)");
  }
  has_seen_ |= !cores.empty();
  HookCounters& counters = result.counters;
  for (const Span& core : cores) counters.bytes += core.end - core.begin;
  GRAPNEL_CHECK(gaps_.run(stage.extent, gaps, result));
  counters.rest_bytes = stage.extent.end - stage.extent.begin - result.head.size() -
                        result.tail.size() - counters.bytes;
  counters.longest_run_seconds = stage.lanes.longest_run_seconds();
  counters.verified_instructions = kernel_->verified_instructions();
  counters.load_seconds = kernel_->take_load_seconds();
  return result.partial.check_memory();
}

}  // namespace grapnel::hooks::block
