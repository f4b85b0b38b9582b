// Does in user space what was not computed at the device.
#pragma once

#include <memory>

#include "hooks/block/spans.h"
#include "hooks/common/feeder.h"
#include "hooks/common/user_space.h"
#include "program/program.h"

namespace grapnel::hooks::block {

/// Reads spans of the file, which are cached by now, and runs the job's program on them. One per
/// worker.
class GapReader {
 public:
  /// ErrorKind::limit if there is no memory.
  static Result<GapReader> open(std::shared_ptr<const program::Job> job,
                                const std::shared_ptr<const program::Program>& program, int file);

  /// Does the gaps around `cores` (find_gaps), adds them to `result` and completes it: head, tail,
  /// states. Proves that each core begins and ends where records do: its gaps must be whole
  /// records. ErrorKind::hook if not (a line end that looked like a record's end lies inside
  /// quotes); data, limit, io, changed.
  Status run(const Extent& extent, const std::vector<Span>& gaps, ExtentResult& result);

 private:
  GapReader(std::shared_ptr<const program::Job> job,
            const std::shared_ptr<const program::Program>& program, int file, PageBuffer buffer);
  /// As if the gap were an extent.
  Result<ExtentResult> drive(const Extent& gap);
  /// Knows more than the gap does, if that is short.
  Result<source::QuoteState> guess_state(const Extent& extent, ExtentResult& result);

  std::shared_ptr<const program::Job> job_;
  int file_;
  ExtentFeeder feeder_;
  PageBuffer buffer_;  ///< headroom, block, slack
};

}  // namespace grapnel::hooks::block
