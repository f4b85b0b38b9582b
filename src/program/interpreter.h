// The op run record by record on the plain interpreter (op/evaluate.h).
#pragma once

#include "program/program.h"

namespace grapnel::program {

std::shared_ptr<const Program> make_interpreter(std::shared_ptr<const Job> job);

/// Does single records exactly: for records that cross extents and for records that a fast form
/// escaped. One per worker.
class RecordRunner {
 public:
  explicit RecordRunner(std::shared_ptr<const Job> job);
  /// Adds one record to `partial` and to its `records`. `record`: bytes without the line end; blank
  /// csv lines that are no records (source::skips_blank_records) are left out here. Errors: data
  /// (naming file, line, byte offset), limit; `partial` is then undefined.
  Status run(std::string_view record, uint64_t file_offset, state::Partial& partial);

 private:
  Status add_group(uint64_t file_offset, state::Partial& partial);
  Status add_row(uint64_t file_offset, state::Partial& partial);
  Status run_unlocated(uint64_t file_offset, state::Partial& partial);

  std::shared_ptr<const Job> job_;
  source::RecordReader reader_;
  std::string key_;
  std::vector<op::Datum> values_;
};

}  // namespace grapnel::program
