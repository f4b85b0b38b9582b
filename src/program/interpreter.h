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
  /// `record`: bytes without the line end. Blank csv records must not be passed (see
  /// source::Dialect).
  Status run(std::string_view record, uint64_t file_offset, state::Partial& partial);

 private:
  std::shared_ptr<const Job> job_;
  source::RecordReader reader_;
  std::string key_;
  std::vector<op::Datum> values_;
};

}  // namespace grapnel::program
