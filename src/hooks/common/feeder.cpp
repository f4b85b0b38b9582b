#include "hooks/common/feeder.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/limits.h"

namespace grapnel::hooks {
namespace {

using source::Format;
using source::QuoteState;

// Guessing looks at no more than this; enough for hundreds of usual records.
constexpr size_t kGuessBytes = 64 << 10;

}  // namespace

ExtentFeeder::ExtentFeeder(std::shared_ptr<const program::Job> job,
                           const std::shared_ptr<const program::Program>& program)
    : job_(std::move(job)), runner_(program->make_runner()) {}

void ExtentFeeder::begin(const Extent& extent) {
  extent_ = extent;
  result_.emplace(ExtentResult{.partial = job_->make_partial(),
                               .head = {},
                               .tail = {},
                               .has_record_start = extent.first,
                               .start_state = QuoteState::outside,
                               .end_state = QuoteState::outside,
                               .counters = {}});
  position_ = extent.begin;
  in_records_ = extent.first;
  state_ = extent.start_state.value_or(QuoteState::outside);
  rest_ = nullptr;
  rest_size_ = 0;
}

Status ExtentFeeder::feed(char* data, size_t size, Placement placement) {
  assert(position_ + size <= extent_.end);
  if (size == 0) return ok_status();
  if (!in_records_) {
    const size_t head = take_head(data, size);
    position_ += head;
    data += head;
    size -= head;
    placement.headroom += head;
    if (size == 0) return ok_status();
  }

  if (rest_size_ > 0 && placement.stays && rest_ + rest_size_ == data) {
    data -= rest_size_;  // lies right before
  } else if (rest_size_ > 0 && rest_size_ <= placement.headroom && !placement.stays) {
    data -= rest_size_;
    std::memcpy(data, rest_, rest_size_);
  } else if (rest_size_ > 0) {
    return feed_through_carry(data, size);
  }
  size_t consumed = 0;
  position_ += size;
  size += rest_size_;
  GRAPNEL_CHECK(run_records(data, size, position_ - size, &consumed));
  keep(data + consumed, size - consumed, placement.stays);
  return ok_status();
}

size_t ExtentFeeder::take_head(const char* data, size_t size) {
  const source::Layout& layout = job_->source->layout;
  if (layout.format == Format::fixed) {
    const size_t head = skip_to_fixed_record(size);
    result_->head.append(data, head);
    return head;
  }
  const bool quoted = layout.format == Format::csv && layout.dialect.quote != '\0';
  if (position_ == extent_.begin) {
    if (quoted && !extent_.start_state) {
      state_ = source::guess_quote_state(layout, {data, std::min(size, kGuessBytes)});
    }
    result_->start_state = state_;
  }
  const auto start = source::find_record_start(layout, {data, size}, state_, &state_);
  const size_t head = start.value_or(size);
  result_->head.append(data, head);
  if (start) in_records_ = result_->has_record_start = true;
  return head;
}

size_t ExtentFeeder::skip_to_fixed_record(size_t size) {
  const uint64_t record_bytes = job_->source->layout.record_bytes;
  const uint64_t into_record = (extent_.begin - job_->source->data_begin) % record_bytes;
  const uint64_t first_start = extent_.begin + (into_record == 0 ? 0 : record_bytes - into_record);
  if (first_start > position_ + size) return size;
  in_records_ = result_->has_record_start = true;
  return static_cast<size_t>(first_start - position_);
}

Status ExtentFeeder::run_records(const char* data, size_t size, uint64_t file_offset,
                                 size_t* consumed) {
  program::Block block;
  block.data = data;
  block.size = size;
  block.file_offset = file_offset;
  block.last = extent_.last && file_offset + size == extent_.end;
  GRAPNEL_TRY(const program::BlockOutcome outcome, runner_->run(block, result_->partial));
  *consumed = outcome.consumed;
  result_->counters.records += outcome.records;
  result_->counters.escapes += outcome.escapes;
  if (size - outcome.consumed > limits::kRecordBytes) {
    return source::record_too_long(*job_->source, file_offset + outcome.consumed);
  }
  return ok_status();
}

// The record is longer than the room before the block, so the block is copied behind it.
Status ExtentFeeder::feed_through_carry(const char* data, size_t size) {
  if (rest_ != carry_.data()) keep(rest_, rest_size_, false);
  const size_t total = rest_size_ + size;
  carry_.resize(std::max(carry_.size(), total + program::kSlackBytes));
  std::memcpy(carry_.data() + rest_size_, data, size);
  position_ += size;
  rest_size_ = total;
  rest_ = carry_.data();
  size_t consumed = 0;
  GRAPNEL_CHECK(run_records(carry_.data(), total, position_ - total, &consumed));
  keep(carry_.data() + consumed, total - consumed, false);
  return ok_status();
}

void ExtentFeeder::keep(const char* data, size_t size, bool stays) {
  rest_ = data;
  rest_size_ = size;
  if (stays || size == 0) return;
  if (carry_.size() < size + program::kSlackBytes) {
    // `data` may lie in carry_ itself only if it fits there already.
    carry_.resize(size + program::kSlackBytes);
  }
  std::memmove(carry_.data(), data, size);
  rest_ = carry_.data();
}

ExtentResult ExtentFeeder::finish() {
  assert(position_ == extent_.end);
  ExtentResult result = std::move(*result_);
  result_.reset();
  if (in_records_) {
    result.tail.assign(rest_ == nullptr ? "" : rest_, rest_size_);
    source::QuoteState end = QuoteState::outside;
    if (!result.tail.empty() && job_->source->layout.format == Format::csv) {
      (void)source::find_record_start(job_->source->layout, result.tail, QuoteState::outside, &end);
    }
    result.end_state = end;
  } else {
    result.end_state = state_;
  }
  result.counters.bytes = extent_.end - extent_.begin - result.head.size() - result.tail.size();
  rest_size_ = 0;
  return result;
}

}  // namespace grapnel::hooks
