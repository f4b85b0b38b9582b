#include "watch/assembler.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "base/limits.h"
#include "watch/quote_proof.h"

namespace grapnel::watch {

using source::Format;
using source::QuoteState;

namespace {

Error contradiction(const source::Source& source, uint64_t offset) {
  return Error{
      ErrorKind::data,
      source.path + ": the quotes around byte " + std::to_string(offset) + " contradict each other",
      "a quote stands where none may; grapnel query names the place"};
}

}  // namespace

Assembler::Assembler(std::shared_ptr<const program::Job> job, const program::Program& program,
                     Limits limits)
    : job_(std::move(job)),
      source_(*job_->source),
      data_begin_(source_.data_begin),
      data_end_(std::max(source_.data_begin, source_.data_end)),
      limits_(limits),
      runner_(program.make_runner()),
      record_runner_(job_),
      partial_(job_->make_partial()) {}

bool Assembler::is_quoted() const {
  return source_.layout.format == Format::csv && source_.layout.dialect.quote != '\0';
}

Assembler::Runs::iterator Assembler::run_ending_at(uint64_t place) {
  auto at = runs_.lower_bound(place);
  if (at == runs_.begin()) return runs_.end();
  --at;
  return at->second.end == place ? at : runs_.end();
}

Status Assembler::take(uint64_t begin, std::string_view bytes, Taken& taken) {
  uint64_t position = std::max(begin, data_begin_);
  const uint64_t end = std::min(begin + bytes.size(), data_end_);
  while (position < end) {
    auto next = runs_.upper_bound(position);
    if (next != runs_.begin() && std::prev(next)->second.end > position) {
      position = std::prev(next)->second.end;
      continue;
    }
    const uint64_t piece_end = next == runs_.end() ? end : std::min(end, next->first);
    GRAPNEL_CHECK(take_new(position, bytes.substr(position - begin, piece_end - position), taken));
    position = piece_end;
  }
  return ok_status();
}

// Bytes that no run has.
Status Assembler::take_new(uint64_t begin, std::string_view bytes, Taken& taken) {
  const uint64_t end = begin + bytes.size();
  const auto left = run_ending_at(begin);
  const auto right = runs_.find(end);
  const auto state = state_at(begin, bytes, left, right);
  if (!state) {
    taken.unknown.push_back({begin, end});
    return ok_status();
  }
  if (left == runs_.end() && right == runs_.end() && runs_.size() >= limits_.runs) {
    taken.released.push_back({begin, end});
    return ok_status();
  }
  GRAPNEL_TRY(Run piece, compute(begin, bytes, *state));
  covered_bytes_ += bytes.size();
  fragment_bytes_ += edge_bytes(piece);
  auto run = left;
  if (run == runs_.end()) {
    run = runs_.emplace(begin, std::move(piece)).first;
  } else {
    GRAPNEL_CHECK(join(run->first, run->second, std::move(piece)));
  }
  if (right != runs_.end()) {
    GRAPNEL_CHECK(join(run->first, run->second, std::move(right->second)));
    runs_.erase(right);
  }
  GRAPNEL_CHECK(finish_data_end(run));
  if (fragment_bytes_ > limits_.fragment_bytes) shed_edges(run, taken);
  return partial_.check_memory();
}

std::optional<QuoteState> Assembler::state_at(uint64_t begin, std::string_view bytes,
                                              Runs::iterator left, Runs::iterator right) const {
  if (!is_quoted() || begin == data_begin_) return QuoteState::outside;
  if (left != runs_.end()) return left->second.end_state;
  const source::Dialect& dialect = source_.layout.dialect;
  if (right != runs_.end())
    return flipped(right->second.begin_state, has_odd_quotes(bytes, dialect.quote));
  return prove_quote_state(dialect, bytes);
}

std::optional<size_t> Assembler::first_record_start(uint64_t begin, std::string_view bytes,
                                                    QuoteState state) const {
  if (begin == data_begin_) return 0;
  if (source_.layout.format != Format::fixed)
    return source::find_record_start(source_.layout, bytes, state);
  const uint64_t record_bytes = source_.layout.record_bytes;
  const uint64_t into_record = (begin - data_begin_) % record_bytes;
  const uint64_t start = into_record == 0 ? 0 : record_bytes - into_record;
  if (start > bytes.size()) return std::nullopt;
  return start;
}

// A run of its own, its whole records counted.
Result<Assembler::Run> Assembler::compute(uint64_t begin, std::string_view bytes,
                                          QuoteState state) {
  Run run;
  run.end = begin + bytes.size();
  run.begin_state = state;
  const char quote = is_quoted() ? source_.layout.dialect.quote : '\0';
  const auto start = first_record_start(begin, bytes, state);
  if (!start) {
    run.head = bytes;
    run.end_state = flipped(state, quote != '\0' && has_odd_quotes(bytes, quote));
    return run;
  }
  run.has_record_start = true;
  run.head = bytes.substr(0, *start);
  std::string_view records = bytes.substr(*start);
  if (!records.empty()) {
    const program::Block block{records.data(), records.size(), begin + *start,
                               run.end == data_end_};
    GRAPNEL_TRY(const auto outcome, runner_->run(block, partial_));
    records.remove_prefix(outcome.consumed);
  }
  run.tail = records;
  run.end_state = flipped(QuoteState::outside, quote != '\0' && has_odd_quotes(run.tail, quote));
  return run;
}

Status Assembler::join(uint64_t left_begin, Run& left, Run&& right) {
  const uint64_t open_begin =
      left.end - (left.has_record_start ? left.tail.size() : left.head.size());
  if (left.end_state != right.begin_state) return contradiction(source_, open_begin);
  left.end = right.end;
  left.end_state = right.end_state;
  std::string& open = left.has_record_start ? left.tail : left.head;
  open += right.head;
  if (open.size() > limits::kRecordBytes) return source::record_too_long(source_, open_begin);
  if (!right.has_record_start) return ok_status();
  if (left.has_record_start) {
    GRAPNEL_CHECK(finish_record(open_begin, open, false));
  } else {
    assert(open_begin == left_begin);
    (void)left_begin;
    left.has_record_start = true;
  }
  left.tail = std::move(right.tail);
  return ok_status();
}

// `record` is complete, with its line end unless it is the last of the data; it is none if empty.
Status Assembler::finish_record(uint64_t begin, std::string& record, bool last) {
  if (record.empty()) return ok_status();
  const auto end = source::next_record(source_.layout, record, last);
  if (!end || end->consumed != record.size()) return contradiction(source_, begin);
  if (end->content_size > limits::kRecordBytes) return source::record_too_long(source_, begin);
  GRAPNEL_CHECK(
      record_runner_.run(std::string_view(record).substr(0, end->content_size), begin, partial_));
  fragment_bytes_ -= record.size();
  record.clear();
  return ok_status();
}

// The end of the data ends the last record.
Status Assembler::finish_data_end(Runs::iterator run) {
  Run& at = run->second;
  if (at.end != data_end_ || !at.has_record_start) return ok_status();
  return finish_record(at.end - at.tail.size(), at.tail, true);
}

// Gives the edges back. Of the head the byte that ends a record stays, so that the record behind it
// is still one whose beginning is proven.
void Assembler::shed_edges(Runs::iterator run, Taken& taken) {
  const uint64_t begin = run->first;
  Run& at = run->second;
  const uint64_t end = at.end;
  covered_bytes_ -= end - begin;
  fragment_bytes_ -= edge_bytes(at);
  if (!at.has_record_start) {
    runs_.erase(run);
    taken.released.push_back({begin, end});
    return;
  }
  const size_t kept = source_.layout.format == Format::fixed || at.head.empty() ? 0 : 1;
  const uint64_t new_begin = begin + at.head.size() - kept;
  at.head.erase(0, at.head.size() - kept);
  if (new_begin != begin) at.begin_state = QuoteState::outside;
  at.end -= at.tail.size();
  at.tail.clear();
  at.end_state = QuoteState::outside;
  if (at.end != end) taken.released.push_back({at.end, end});
  if (new_begin != begin) {
    taken.released.push_back({begin, new_begin});
    auto node = runs_.extract(run);
    node.key() = new_begin;
    run = runs_.insert(std::move(node)).position;
  }
  if (run->second.end <= new_begin) {  // nothing but an edge
    runs_.erase(run);
    return;
  }
  covered_bytes_ += run->second.end - new_begin;
  fragment_bytes_ += edge_bytes(run->second);
}

std::vector<Range> Assembler::covered() const {
  std::vector<Range> ranges;
  ranges.reserve(runs_.size());
  for (const auto& [begin, run] : runs_) ranges.push_back({begin, run.end});
  return ranges;
}

std::vector<Range> Assembler::counted() const {
  std::vector<Range> ranges;
  for (const auto& [begin, run] : runs_) {
    const Range range{begin + run.head.size(), run.end - run.tail.size()};
    if (range.begin < range.end) ranges.push_back(range);
  }
  return ranges;
}

std::vector<Range> Assembler::missing() const {
  std::vector<Range> ranges;
  uint64_t position = data_begin_;
  for (const auto& [begin, run] : runs_) {
    if (position < begin) ranges.push_back({position, begin});
    position = run.end;
  }
  if (position < data_end_) ranges.push_back({position, data_end_});
  return ranges;
}

bool Assembler::touches_run(Range range) const {
  if (range.begin == data_begin_) return true;
  const auto next = runs_.upper_bound(range.end);
  return next != runs_.begin() && std::prev(next)->second.end >= range.begin;
}

bool Assembler::has_run_ending_at(uint64_t place) const {
  if (place == data_begin_) return true;
  const auto next = runs_.lower_bound(place);
  return next != runs_.begin() && std::prev(next)->second.end == place;
}

}  // namespace grapnel::watch
