#include "hooks/block/gap_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "hooks/kernel/handed_out.h"

namespace grapnel::hooks::block {
namespace {

using source::Format;
using source::QuoteState;

constexpr uint64_t kGuessBytes = 64 << 10;

bool is_quoted(const source::Layout& layout) {
  return layout.format == Format::csv && layout.dialect.quote != '\0';
}

Error wrong_core() {
  return Error{ErrorKind::hook,
               "the block hook cannot do this part of the file: where a request began, a line end "
               "inside quotes looked like the end of a record",
               ""};
}

}  // namespace

GapReader::GapReader(std::shared_ptr<const program::Job> job,
                     const std::shared_ptr<const program::Program>& program, int file,
                     PageBuffer buffer)
    : job_(job), file_(file), feeder_(std::move(job), program), buffer_(std::move(buffer)) {}

Result<GapReader> GapReader::open(std::shared_ptr<const program::Job> job,
                                  const std::shared_ptr<const program::Program>& program,
                                  int file) {
  GRAPNEL_TRY(PageBuffer buffer,
              PageBuffer::allocate(kHeadroomBytes + kBlockBytes + program::kSlackBytes));
  return GapReader(std::move(job), program, file, std::move(buffer));
}

Status GapReader::run(const Extent& extent, const std::vector<Span>& gaps, ExtentResult& result) {
  for (size_t i = 0; i < gaps.size(); i++) {
    const bool first = i == 0, last = i + 1 == gaps.size();
    Extent gap = extent;
    gap.begin = gaps[i].begin;
    gap.end = gaps[i].end;
    gap.first = extent.first || !first;
    gap.last = extent.last && last;
    if (!first) gap.start_state = QuoteState::outside;
    if (first && !gap.first && !gap.start_state && is_quoted(job_->source->layout)) {
      GRAPNEL_TRY(gap.start_state, guess_state(extent, result));
    }
    GRAPNEL_TRY(ExtentResult done, drive(gap));
    if (!last && (!done.has_record_start || !done.tail.empty())) return wrong_core();
    if (first) {
      result.head = std::move(done.head);
      result.start_state = done.start_state;
      result.has_record_start = done.has_record_start;
    }
    if (last) {
      result.tail = std::move(done.tail);
      result.end_state = done.end_state;
    }
    result.counters.records += done.counters.records;
    result.counters.escapes += done.counters.escapes;
    result.counters.bytes_copied += gap.end - gap.begin;
    GRAPNEL_CHECK(result.partial.merge(std::move(done.partial)));
  }
  return ok_status();
}

Result<QuoteState> GapReader::guess_state(const Extent& extent, ExtentResult& result) {
  std::string bytes;
  const uint64_t end = std::min(extent.end, extent.begin + kGuessBytes);
  GRAPNEL_CHECK(kernel::copy_bytes(*job_->source, extent.begin, end, bytes, result.counters));
  return source::guess_quote_state(job_->source->layout, bytes);
}

Result<ExtentResult> GapReader::drive(const Extent& gap) {
  feeder_.begin(gap);
  char* data = buffer_.data() + kHeadroomBytes;
  while (feeder_.position() < gap.end) {
    const uint64_t offset = feeder_.position();
    const uint64_t block_end = std::min(gap.end, (offset / kBlockBytes + 1) * kBlockBytes);
    const ssize_t got = pread(file_, data, block_end - offset, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) return missing_bytes(*job_->source, offset);
    if (got < 0) {
      return Error::system(
          "cannot read " + job_->source->path + " at byte " + std::to_string(offset), errno,
          "look for device or network errors with dmesg");
    }
    GRAPNEL_CHECK(feeder_.feed(data, static_cast<size_t>(got), {kHeadroomBytes, false}));
  }
  return feeder_.finish();
}

}  // namespace grapnel::hooks::block
