#include "hooks/kernel/ordered_session.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "hooks/common/user_space.h"

namespace grapnel::hooks::kernel {
namespace {

using source::Format;
using source::QuoteState;

/// So few that all their records can be handed out: one takes at most 16 times its size (an empty
/// line of a file with one column).
constexpr size_t kSmallRunBytes = 64 << 10;
static_assert(kSmallRunBytes * sizeof(gr_out) <= GR_OUT_BYTES);
constexpr size_t kHeadWindowBytes = 4 << 10;
constexpr size_t kGuessBytes = 64 << 10;

bool is_quoted(const source::Layout& layout) {
  return layout.format == Format::csv && layout.dialect.quote != '\0';
}

}  // namespace

OrderedSession::OrderedSession(std::shared_ptr<const program::Job> job,
                               std::shared_ptr<KernelProgram> program, WorkerPlace place)
    : job_(job),
      program_(std::move(program)),
      place_(std::move(place)),
      run_bytes_(kRunBytes),
      exact_(std::move(job)) {}

Status OrderedSession::arm() {
  if (target_) return ok_status();
  GRAPNEL_TRY(auto target, TargetGuard::arm(place_, job_->source->file.get()));
  target_.emplace(std::move(target));
  return ok_status();
}

Result<ExtentResult> OrderedSession::drive(const Extent& extent, const CancelToken& cancel) {
  const ThreadMeter meter;
  ExtentResult result{.partial = job_->make_partial(),
                      .head = {},
                      .tail = {},
                      .has_record_start = extent.first,
                      .start_state = QuoteState::outside,
                      .end_state = QuoteState::outside,
                      .counters = {}};
  uint64_t first_record = extent.begin;
  if (!extent.first) {
    GRAPNEL_TRY(first_record, find_first_record(extent, result));
  }
  if (result.has_record_start) {
    GRAPNEL_CHECK(do_records(extent, first_record, result, cancel));
  }
  result.counters.bytes = extent.end - extent.begin - result.head.size() - result.tail.size();
  meter.stop(result.counters, true);
  result.counters.longest_run_seconds = 1e-9 * static_cast<double>(place_.worker().longest_run_ns);
  result.counters.verified_instructions = program_->verified_instructions();
  result.counters.load_seconds = program_->take_load_seconds();
  return result;
}

// --- The first record ---

Result<uint64_t> OrderedSession::find_first_record(const Extent& extent, ExtentResult& result) {
  if (job_->source->layout.format != Format::fixed) return find_first_text_record(extent, result);
  const uint64_t record_bytes = job_->source->layout.record_bytes;
  const uint64_t into_record = (extent.begin - job_->source->data_begin) % record_bytes;
  const uint64_t start = extent.begin + (into_record == 0 ? 0 : record_bytes - into_record);
  result.has_record_start = start <= extent.end;
  GRAPNEL_CHECK(copy_bytes(*job_->source, extent.begin, std::min(start, extent.end), result.head,
                           result.counters));
  return std::min(start, extent.end);
}

Result<uint64_t> OrderedSession::find_first_text_record(const Extent& extent,
                                                        ExtentResult& result) {
  const source::Layout& layout = job_->source->layout;
  const bool guesses = is_quoted(layout) && !extent.start_state;
  size_t window = guesses ? kGuessBytes : kHeadWindowBytes;
  QuoteState state = extent.start_state.value_or(QuoteState::outside);
  uint64_t at = extent.begin;
  while (at < extent.end) {
    std::string bytes;
    const uint64_t window_end = std::min<uint64_t>(at + window, extent.end);
    GRAPNEL_CHECK(copy_bytes(*job_->source, at, window_end, bytes, result.counters));
    if (at == extent.begin) {
      if (guesses) state = source::guess_quote_state(layout, bytes);
      result.start_state = state;
    }
    if (const auto start = source::find_record_start(layout, bytes, state, &state)) {
      result.head.append(bytes, 0, *start);
      result.has_record_start = true;
      return at + *start;
    }
    result.head += bytes;
    at = window_end;
    window *= 2;
  }
  result.end_state = state;
  return extent.end;
}

// --- Whole records, in the kernel ---

Status OrderedSession::do_records(const Extent& extent, uint64_t first_record, ExtentResult& result,
                                  const CancelToken& cancel) {
  const HookCounters before = result.counters;
  for (;;) {
    lower::bpf::reset_worker(place_.worker(), first_record);
    handed_out_ = 0;
    Status done = run_program(first_record, extent.end, result, cancel);
    if (done.ok()) return finish(extent, result);
    abandon();
    if (place_.worker().status != GR_STATUS_OUT_FULL || run_bytes_ == kSmallRunBytes) return done;
    run_bytes_ = kSmallRunBytes;  // for good: the next extents will hardly be different
    result.partial.clear();
    result.counters = before;
  }
}

Status OrderedSession::run_program(uint64_t begin, uint64_t end, ExtentResult& result,
                                   const CancelToken& cancel) {
  for (uint64_t at = begin; at < end;) {
    if (cancel.cancelled()) return cancelled_error();
    gr_worker& worker = place_.worker();
    const gr_u64 before = worker.bytes;
    worker.out_bytes = 0;
    GRAPNEL_TRY(const size_t fed, feed(at, std::min<uint64_t>(end - at, run_bytes_), result));
    if (worker.status != GR_STATUS_OK) return status_error(worker.status);
    if (worker.bytes != before + fed) return status_error(GR_STATUS_INCOMPLETE);
    GRAPNEL_CHECK(take_handed_out(result));
    at += fed;
  }
  return ok_status();
}

Error OrderedSession::hook_error(std::string message, std::string hint) const {
  return Error{ErrorKind::hook,
               "the " + std::string(program_->anchor().hook) +
                   " hook cannot do this part of the file: " + std::move(message),
               std::move(hint)};
}

Error OrderedSession::status_error(gr_u64 status) const {
  switch (status) {
    case GR_STATUS_OUT_FULL:
      return hook_error(
          "the buffer for records that need the exact form, or pass the filter, is full");
    case GR_STATUS_FAULT:
      return hook_error("the kernel could not read a page of the page cache");
    case GR_STATUS_PIPE:
      return hook_error("the program in the kernel did not find the pipe");
    case GR_STATUS_SEGMENTS:
      return hook_error("the pipe holds more pieces than expected");
    default:
      return hook_error("the program in the kernel stopped early");
  }
}

Status OrderedSession::take_handed_out(ExtentResult& result) {
  const auto* out = reinterpret_cast<const char*>(place_.out().bytes);
  GRAPNEL_TRY(const uint64_t count, exact_.run({out, place_.worker().out_bytes}, result));
  handed_out_ += count;
  return ok_status();
}

// --- The end ---

Status OrderedSession::finish(const Extent& extent, ExtentResult& result) {
  const gr_worker& worker = place_.worker();
  GRAPNEL_CHECK(lower::bpf::add_worker_state(*job_, program_->plan(), worker, place_.groups(),
                                             result.partial));
  result.partial.records += worker.records - handed_out_;
  result.counters.records += worker.records;
  if (worker.long_record != 0) {
    GRAPNEL_CHECK(
        copy_bytes(*job_->source, worker.long_begin, extent.end, result.tail, result.counters));
  } else {
    const auto* carried = worker.data + GR_PAGE_BYTES - worker.carry;
    result.tail.assign(reinterpret_cast<const char*>(carried), worker.carry);
    result.counters.bytes_copied += worker.carry;
  }
  if (worker.inside_quotes != 0) result.end_state = QuoteState::inside;
  if (extent.last && !result.tail.empty()) {
    const uint64_t offset = extent.end - result.tail.size();
    if (const auto end = source::next_record(job_->source->layout, result.tail, true)) {
      const uint64_t before = result.partial.records;
      GRAPNEL_CHECK(exact_.runner().run(std::string_view(result.tail).substr(0, end->content_size),
                                        offset, result.partial));
      result.counters.records += result.partial.records - before;
      result.tail.erase(0, end->consumed);
      result.end_state = QuoteState::outside;
    }
  }
  result.partial.rows.sort_by_offset();
  return result.partial.check_memory();
}

}  // namespace grapnel::hooks::kernel
