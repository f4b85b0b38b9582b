#include "lower/native/native_runner.h"

#include <algorithm>
#include <cstring>

#include "lower/native/services.h"
#include "program/interpreter.h"

namespace grapnel::lower::native {
namespace {

class NativeRunner final : public program::Runner {
 public:
  explicit NativeRunner(std::shared_ptr<const Code> code)
      : code_(std::move(code)),
        records_(code_->job),
        context_(*code_->job),
        scan_(std::make_unique<gr_scan>()) {
    scan_->parameters = &code_->parameters;
    scan_->services = &services();
    scan_->context = &context_;
  }

  Result<program::BlockOutcome> run(const program::Block& block, state::Partial& partial) override {
    program::BlockOutcome outcome;
    const uint64_t records_before = partial.records;
    // Positions in compiled code have 32 bits.
    constexpr size_t kMost = size_t{1} << 30;
    while (outcome.consumed < block.size) {
      program::Block part = block;
      part.data += outcome.consumed;
      part.file_offset += outcome.consumed;
      part.size = std::min(block.size - outcome.consumed, kMost);
      part.last = block.last && part.size == block.size - outcome.consumed;
      const size_t before = outcome.consumed;
      GRAPNEL_CHECK(run_part(part, partial, outcome));
      if (outcome.consumed == before) break;
    }
    outcome.records = partial.records - records_before;
    GRAPNEL_CHECK(partial.check_memory());
    return outcome;
  }

 private:
  using Outcome = program::BlockOutcome;

  void begin(const program::Block& block, state::Partial& partial) {
    context_.attach(partial);
    scan_->slots = nullptr;
    if (code_->job->op->aggregating) {
      if (code_->job->op->keys.empty())
        scan_->slots = partial.groups.find_or_insert({});
      else
        memset(scan_->groups, 0, sizeof scan_->groups);  // they are of another partial
    }
    scan_->data = reinterpret_cast<const gr_u8*>(block.data);
    scan_->size = block.size;
    scan_->file_offset = block.file_offset;
    scan_->position = 0;
    scan_->records = 0;
    scan_->listed_count = 0;
  }

  Status run_part(const program::Block& block, state::Partial& partial, Outcome& outcome) {
    begin(block, partial);
    const std::string_view data(block.data, block.size);
    for (;;) {
      const gr_u64 status = code_->scan(scan_.get());
      GRAPNEL_CHECK(do_listed(block, partial, outcome));
      if (status == GR_SCAN_LIST) continue;
      if (status == GR_SCAN_END) {
        // What is left is cut off, or the file's last record without a line end.
        if (block.last && scan_->position < block.size)
          GRAPNEL_CHECK(do_exactly(block, block.size, partial, outcome));
        break;
      }
      const gr_u64 until = status == GR_SCAN_ODD ? scan_->odd_position : scan_->position;
      const gr_u64 before = scan_->position;
      GRAPNEL_CHECK(do_exactly(block, until, partial, outcome));
      if (scan_->position == before) break;
    }
    partial.records += scan_->records;
    outcome.consumed += scan_->position;
    return ok_status();
  }

  /// Records that compiled code put aside: selected ones, whose outputs the interpreter computes,
  /// and escaped ones.
  Status do_listed(const program::Block& block, state::Partial& partial, Outcome& outcome) {
    for (uint32_t i = 0; i < scan_->listed_count; i++) {
      const gr_listed& listed = scan_->listed[i];
      std::string_view record(block.data + listed.begin, listed.size);
      if (code_->job->source->layout.format != source::Format::fixed && !record.empty() &&
          record.back() == '\r')
        record.remove_suffix(1);
      GRAPNEL_CHECK(records_.run(record, block.file_offset + listed.begin, partial));
    }
    if (code_->job->op->aggregating) outcome.escapes += scan_->listed_count;
    scan_->listed_count = 0;
    return ok_status();
  }

  /// Does records by the plain rules, from scan position on, until one ends behind `until`.
  Status do_exactly(const program::Block& block, uint64_t until, state::Partial& partial,
                    Outcome& outcome) {
    const std::string_view data(block.data, block.size);
    while (scan_->position <= until && scan_->position < block.size) {
      const auto end =
          source::next_record(code_->job->source->layout, data.substr(scan_->position), block.last);
      if (!end) return ok_status();
      GRAPNEL_CHECK(records_.run(data.substr(scan_->position, end->content_size),
                                 block.file_offset + scan_->position, partial));
      outcome.escapes++;
      scan_->position += end->consumed;
    }
    return ok_status();
  }

  std::shared_ptr<const Code> code_;
  program::RecordRunner records_;
  ServiceContext context_;
  std::unique_ptr<gr_scan> scan_;
};

}  // namespace

std::unique_ptr<program::Runner> make_native_runner(std::shared_ptr<const Code> code) {
  return std::make_unique<NativeRunner>(std::move(code));
}

}  // namespace grapnel::lower::native
