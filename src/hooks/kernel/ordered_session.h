// One worker of a hook in the kernel that sees the bytes of an extent in order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hooks/hook.h"
#include "hooks/kernel/handed_out.h"
#include "hooks/kernel/kernel_program.h"
#include "hooks/kernel/target_guard.h"

namespace grapnel::hooks::kernel {

/// Most bytes of one run of the program: half a millisecond, during which nobody can cancel.
inline constexpr size_t kRunBytes = 1 << 20;

/// Drives extents: finds the first record's start in user space (a few KiB), lets the program in
/// the kernel do the whole records, takes what is left behind the last one. Records that the
/// program hands out are done by the exact form at once.
///
/// A hook says how the program gets to see bytes: feed().
class OrderedSession : public Session {
 public:
  Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) final;

 protected:
  OrderedSession(std::shared_ptr<const program::Job> job, std::shared_ptr<KernelProgram> program,
                 WorkerPlace place);

  /// Lets the program work on the file's bytes from `offset` on, at most `bytes` (never 0).
  /// Returns how many it was made to see, at least 1; they are checked against what the worker
  /// says. Errors as Session::drive.
  virtual Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult& result) = 0;
  /// The last run failed: nothing of it may be left behind for the next extent.
  virtual void abandon() {}

  /// From here on, as long as the session lives, gr_target() in the kernel gives the calling
  /// thread's worker, for the job's file. The first call does it; needs kArmProgram. Errors: hook.
  Status arm();

  /// For programs that everybody's calls pass: they look at the file's bytes up to `end` while it
  /// lives, and at nothing that is read outside of feed().
  class Limit {
   public:
    Limit(const OrderedSession& session, uint64_t end) : worker_(session.place_.worker()) {
      worker_.limit = end;
    }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit() { worker_.limit = 0; }

   private:
    gr_worker& worker_;
  };

  [[nodiscard]] const program::Job& job() const { return *job_; }
  [[nodiscard]] const WorkerPlace& place() const { return place_; }
  /// "the pipe hook cannot do this part of the file: ..."
  [[nodiscard]] Error hook_error(std::string message, std::string hint = {}) const;

 private:
  /// Where the first record starts; extent.end if none does. Fills head, states, has_record_start.
  Result<uint64_t> find_first_record(const Extent& extent, ExtentResult& result);
  Result<uint64_t> find_first_text_record(const Extent& extent, ExtentResult& result);

  /// The records from `first_record` on; with shorter runs if too many of them are handed out.
  Status do_records(const Extent& extent, uint64_t first_record, ExtentResult& result,
                    const CancelToken& cancel);
  /// Lets the program work on [begin, end).
  Status run_program(uint64_t begin, uint64_t end, ExtentResult& result, const CancelToken& cancel);
  [[nodiscard]] Error status_error(gr_u64 status) const;
  /// Does the records that the last run handed out.
  Status take_handed_out(ExtentResult& result);
  /// State, tail, last record.
  Status finish(const Extent& extent, ExtentResult& result);

  std::shared_ptr<const program::Job> job_;
  std::shared_ptr<KernelProgram> program_;
  WorkerPlace place_;
  std::optional<TargetGuard> target_;  ///< goes before the place
  size_t run_bytes_;
  HandedOutRecords exact_;
  uint64_t handed_out_ = 0;  ///< records of this extent
};

}  // namespace grapnel::hooks::kernel
