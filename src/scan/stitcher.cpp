#include "scan/stitcher.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/limits.h"
#include "hooks/common/thread_clock.h"
#include "hooks/common/user_space.h"
#include "scan/extents.h"

namespace grapnel::scan {
namespace {

constexpr uint64_t kRereadBytes = 64 << 10;

Status append_from_file(const source::Source& source, uint64_t begin, uint64_t end,
                        std::string& to) {
  const size_t before = to.size();
  const auto wanted = static_cast<size_t>(end - begin);
  to.resize(before + wanted);
  GRAPNEL_TRY(const size_t got, source::read_at(source, begin, to.data() + before, wanted));
  if (got < wanted) return hooks::missing_bytes(source, begin + got);
  return ok_status();
}

}  // namespace

Stitcher::Stitcher(const Plan& plan)
    : plan_(plan),
      source_(*plan.job->source),
      runner_(plan.job),
      own_(plan.job->make_partial()),
      satisfied_(plan.row_limit == 0U) {}

Status Stitcher::take(Driven driven, const Redo& redo, std::optional<state::Partial>& proven) {
  const double cpu_before = hooks::thread_cpu_seconds();
  const hooks::Extent extent = driven.extent;
  if (!driven.result.ok()) {
    // Under a wrong guess, good data looks bad.
    if (is_guess(extent, source_.layout)) return redo_extent(extent, redo, proven);
    return fail_or_satisfy(extent, std::move(driven.result).error());
  }
  GRAPNEL_CHECK(load_fragments(driven));
  const hooks::ExtentResult& result = *driven.result;
  if (!joins(extent, result)) {
    hooks::HookCounters& wasted = hook_counters[std::string(driven.hook->name())];
    wasted.failed_extents++;
    wasted.cpu_seconds += result.counters.cpu_seconds;
    wasted.device_bytes += result.counters.device_bytes;
    wasted.bytes_copied += result.counters.bytes_copied;
    return redo_extent(extent, redo, proven);
  }
  if (open_record_.empty()) open_offset_ = extent.begin;
  open_record_ += result.head;
  if (result.has_record_start || extent.last) {
    GRAPNEL_CHECK(finish_open_record());
  } else if (open_record_.size() > limits::kRecordBytes) {
    return source::record_too_long(source_, open_offset_);
  }
  stitched.cpu_seconds += hooks::thread_cpu_seconds() - cpu_before;
  return pass_on(std::move(driven), proven);
}

// Fragments that were too much to keep are read again.
Status Stitcher::load_fragments(Driven& driven) {
  hooks::ExtentResult& result = *driven.result;
  const hooks::Extent& extent = driven.extent;
  if (result.head.size() != driven.head_size) {
    GRAPNEL_CHECK(
        append_from_file(source_, extent.begin, extent.begin + driven.head_size, result.head));
  }
  if (result.tail.size() != driven.tail_size) {
    GRAPNEL_CHECK(
        append_from_file(source_, extent.end - driven.tail_size, extent.end, result.tail));
  }
  return ok_status();
}

// Is the open record with the extent's head exactly one record, or, if the extent has no record
// start, still an unfinished one?
bool Stitcher::joins(const hooks::Extent& extent, const hooks::ExtentResult& result) {
  if (!is_guess(extent, source_.layout)) return true;  // every line end is a record end
  const size_t open_size = open_record_.size();
  open_record_ += result.head;
  const bool ends_here = result.has_record_start || extent.last;
  const auto end = source::next_record(source_.layout, open_record_, extent.last);
  const bool good = end ? ends_here && end->consumed == open_record_.size()
                        : !result.has_record_start && (!extent.last || open_record_.empty());
  open_record_.resize(open_size);
  return good;
}

Status Stitcher::redo_extent(const hooks::Extent& extent, const Redo& redo,
                             std::optional<state::Partial>& proven) {
  GRAPNEL_TRY(const std::optional<uint64_t> record_end, read_to_record_end(extent));
  if (!record_end) return ok_status();
  GRAPNEL_CHECK(finish_open_record());
  if (*record_end == extent.end) return release_rows();
  hooks::Extent rest = extent;
  rest.begin = *record_end;
  rest.first = true;
  rest.again = true;
  Driven driven = redo(rest);
  if (!driven.result.ok()) return fail_or_satisfy(rest, std::move(driven.result).error());
  return pass_on(std::move(driven), proven);
}

// Adds bytes of the extent to the open record until it is complete. Gives the file offset of its
// end; empty if the extent ends before.
Result<std::optional<uint64_t>> Stitcher::read_to_record_end(const hooks::Extent& extent) {
  if (open_record_.empty()) open_offset_ = extent.begin;
  uint64_t position = extent.begin;
  uint64_t step = kRereadBytes;
  while (position < extent.end) {
    const uint64_t next = std::min(extent.end, position + step);
    GRAPNEL_CHECK(append_from_file(source_, position, next, open_record_));
    position = next;
    step *= 2;
    const bool last = extent.last && position == extent.end;
    if (const auto end = source::next_record(source_.layout, open_record_, last)) {
      open_record_.resize(end->consumed);
      return std::optional<uint64_t>(open_offset_ + end->consumed);
    }
    if (open_record_.size() > limits::kRecordBytes) {
      return source::record_too_long(source_, open_offset_);
    }
  }
  return std::optional<uint64_t>();
}

// The open record is complete, with its line end, unless the file ends without one.
Status Stitcher::finish_open_record() {
  const auto end = source::next_record(source_.layout, open_record_, true);
  if (!end) return ok_status();
  if (end->content_size > limits::kRecordBytes) {
    return source::record_too_long(source_, open_offset_);
  }
  assert(end->consumed == open_record_.size());
  GRAPNEL_CHECK(
      run_record(std::string_view(open_record_).substr(0, end->content_size), open_offset_));
  stitched.bytes += open_record_.size();
  open_record_.clear();
  return ok_status();
}

Status Stitcher::run_record(std::string_view record, uint64_t file_offset) {
  const uint64_t records_before = own_.records;
  Status status = runner_.run(record, file_offset, own_);
  stitched.records += own_.records - records_before;
  return status;
}

// The extent failed for good. But a query that wants n rows may have them before the bad place: so
// that its answer does not depend on where extents are cut, the extent is done record by record.
Status Stitcher::fail_or_satisfy(const hooks::Extent& extent, Error error) {
  if (!plan_.row_limit || error.kind != ErrorKind::data) return error;
  std::string data = std::move(open_record_);
  uint64_t offset = data.empty() ? extent.begin : open_offset_;
  open_record_.clear();
  GRAPNEL_CHECK(append_from_file(source_, extent.begin, extent.end, data));
  std::string_view rest = data;
  while (const auto end = source::next_record(source_.layout, rest, extent.last)) {
    GRAPNEL_CHECK(run_record(rest.substr(0, end->content_size), offset));
    offset += end->consumed;
    rest.remove_prefix(end->consumed);
    if (rows_delivered_ + own_.rows.size() >= *plan_.row_limit) return release_rows();
  }
  return error;
}

Status Stitcher::pass_on(Driven driven, std::optional<state::Partial>& proven) {
  hooks::ExtentResult& result = *driven.result;
  hook_counters[std::string(driven.hook->name())].add(result.counters);
  if (!result.tail.empty()) {
    open_record_ = std::move(result.tail);
    open_offset_ = driven.extent.end - open_record_.size();
  }
  if (plan_.job->op->aggregating) {
    proven.emplace(std::move(result.partial));
    return ok_status();
  }
  // Hooks that do some records later than others may give their rows out of order.
  state::RowBatch& rows = result.partial.rows;
  if (!std::is_sorted(rows.file_offsets.begin(), rows.file_offsets.end())) rows.sort_by_offset();
  own_.rows.append_all(std::move(rows));
  own_.records += result.partial.records;
  return release_rows();
}

// Gives the rows to the sink, if there is one, and cuts off what is beyond the limit.
Status Stitcher::release_rows() {
  if (plan_.job->op->aggregating) return ok_status();
  if (plan_.row_limit && rows_delivered_ + own_.rows.size() >= *plan_.row_limit) {
    own_.rows.truncate(static_cast<size_t>(*plan_.row_limit - rows_delivered_));
    satisfied_ = true;
  }
  if (!plan_.row_sink) return own_.check_memory();
  if (own_.rows.size() == 0) return ok_status();
  rows_delivered_ += own_.rows.size();
  state::RowBatch batch = std::move(own_.rows);
  own_.rows = state::RowBatch();
  return plan_.row_sink(std::move(batch));
}

}  // namespace grapnel::scan
