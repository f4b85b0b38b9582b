// One worker of the `pipe` hook.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hooks/hook.h"
#include "hooks/pipe/pipe_pair.h"
#include "hooks/pipe/pipe_program.h"
#include "program/interpreter.h"

namespace grapnel::hooks::pipe {

/// Drives extents: finds the first record's start in user space (a few KiB), lets the program in
/// the kernel do the whole records, takes what is left behind the last one. Records that the
/// program hands out are done by the exact form at once.
class PipeSession final : public Session {
 public:
  /// `page_constant`: see page_constant.h.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                               std::shared_ptr<PipeProgram> program,
                                               uint64_t page_constant);

  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) override;

 private:
  PipeSession(std::shared_ptr<const program::Job> job, WorkerPlace place,
              std::shared_ptr<PipeProgram> program, uint64_t page_constant, UniqueFd drain);

  /// Where the first record starts; extent.end if none does. Fills head, states, has_record_start.
  Result<uint64_t> find_first_record(const Extent& extent, ExtentResult& result);
  Result<uint64_t> find_first_text_record(const Extent& extent, ExtentResult& result);
  /// Bytes [begin, end) of the file by pread, appended to `to`.
  Status copy_bytes(uint64_t begin, uint64_t end, std::string& to, HookCounters& counters);

  /// The records from `first_record` on; with shorter runs if too many of them are handed out.
  Status do_records(const Extent& extent, uint64_t first_record, ExtentResult& result,
                    const CancelToken& cancel);
  /// Lets the program work on [begin, end).
  Status run_program(uint64_t begin, uint64_t end, ExtentResult& result, const CancelToken& cancel);
  Result<size_t> fill_pipe(uint64_t offset, size_t bytes);
  Status run_once(size_t bytes);
  Status empty_pipe(size_t bytes);
  /// Does the records that the last run handed out.
  Status take_handed_out(ExtentResult& result);
  /// State, tail, last record.
  Status finish(const Extent& extent, ExtentResult& result);

  std::shared_ptr<const program::Job> job_;
  std::shared_ptr<PipeProgram> program_;
  WorkerPlace place_;
  uint64_t page_constant_;
  size_t run_bytes_;
  UniqueFd drain_;                ///< /dev/null
  std::optional<PipePair> pipe_;  ///< none while it may hold bytes of an extent that failed
  program::RecordRunner exact_;
  uint64_t handed_out_ = 0;  ///< records of this extent
};

}  // namespace grapnel::hooks::pipe
