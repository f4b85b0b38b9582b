// One worker of the `pipe` hook.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hooks/kernel/file_pipe.h"
#include "hooks/kernel/ordered_session.h"

namespace grapnel::hooks::pipe {

/// The program in pipe.bpf.c.
inline constexpr const char* kEntry = "gr_pipe";

/// splice(file -> pipe), the program works on the pipe's pages, splice on to /dev/null.
class PipeSession final : public kernel::OrderedSession {
 public:
  /// `page_constant`: see hooks/kernel/page_constant.h. Errors: hook, permission, system.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                               std::shared_ptr<kernel::KernelProgram> program,
                                               uint64_t page_constant);

 private:
  PipeSession(std::shared_ptr<const program::Job> job,
              std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place,
              uint64_t page_constant);

  Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult& result) override;
  void abandon() override { pipe_.reset(); }

  Status run_program();

  uint64_t page_constant_;
  std::optional<kernel::FilePipe> pipe_;  ///< none while it may hold bytes of an extent that failed
};

}  // namespace grapnel::hooks::pipe
