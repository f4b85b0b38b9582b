// One worker of the `pagecache` hook.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hooks/kernel/file_pipe.h"
#include "hooks/kernel/ordered_session.h"

namespace grapnel::hooks::pagecache {

/// splice(file -> pipe -> /dev/null); the attached program works on the pages that the kernel gets
/// for that, and says how far it has come.
class PageCacheSession final : public kernel::OrderedSession {
 public:
  /// Errors: hook, permission, system.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                               std::shared_ptr<kernel::KernelProgram> program);

 private:
  PageCacheSession(std::shared_ptr<const program::Job> job,
                   std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place)
      : OrderedSession(std::move(job), std::move(program), std::move(place)) {}

  Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult& result) override;
  void abandon() override { pipe_.reset(); }

  Status make_ready();
  /// Reads the file from `offset` on into nowhere, as far as the pipe can hold.
  Status pass_by(uint64_t offset, size_t bytes);

  std::optional<kernel::FilePipe> pipe_;  ///< none while it may hold bytes of a read that failed
};

}  // namespace grapnel::hooks::pagecache
