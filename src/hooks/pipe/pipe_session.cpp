#include "hooks/pipe/pipe_session.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "hooks/common/user_space.h"
#include "hooks/pipe/request.h"

namespace grapnel::hooks::pipe {

PipeSession::PipeSession(std::shared_ptr<const program::Job> job,
                         std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place,
                         uint64_t page_constant, UniqueFd drain)
    : OrderedSession(std::move(job), std::move(program), std::move(place)),
      page_constant_(page_constant),
      drain_(std::move(drain)) {}

Result<std::unique_ptr<Session>> PipeSession::open(std::shared_ptr<const program::Job> job,
                                                   std::shared_ptr<kernel::KernelProgram> program,
                                                   uint64_t page_constant) {
  GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
  UniqueFd drain(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!drain.valid()) return Error::system("cannot open /dev/null", errno);
  return std::unique_ptr<Session>(new PipeSession(
      std::move(job), std::move(program), std::move(place), page_constant, std::move(drain)));
}

Result<size_t> PipeSession::feed(uint64_t offset, size_t bytes, ExtentResult&) {
  if (!pipe_) {
    GRAPNEL_TRY(pipe_, kernel::PipePair::open(kernel::kRunBytes));
  }
  GRAPNEL_TRY(const size_t filled, fill_pipe(offset, std::min(bytes, pipe_->capacity_bytes())));
  GRAPNEL_CHECK(run_program());
  GRAPNEL_CHECK(empty_pipe(filled));
  return filled;
}

Result<size_t> PipeSession::fill_pipe(uint64_t offset, size_t bytes) {
  for (;;) {
    auto at = static_cast<loff_t>(offset);
    const ssize_t got =
        splice(job().source->file.get(), &at, pipe_->write_end(), nullptr, bytes, 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0) return missing_bytes(*job().source, offset);
    if (errno == EINTR) continue;
    if (errno == EINVAL)
      return hook_error("its file system does not support splice", "use a hook in user space");
    return Error::system(
        "cannot read " + job().source->path + " at byte " + std::to_string(offset) + " by splice",
        errno, "look for device or network errors with dmesg");
  }
}

Status PipeSession::run_program() {
  gr_request request{place().number(), static_cast<gr_u32>(pipe_->read_end()), page_constant_};
  const int program = place().object().program(kEntry);
  GRAPNEL_TRY(const uint32_t failed,
              lower::bpf::run_syscall_program(program, &request, sizeof request));
  if (failed != 0) return hook_error("the program in the kernel stopped early");
  return ok_status();
}

Status PipeSession::empty_pipe(size_t bytes) {
  while (bytes > 0) {
    const ssize_t gone =
        splice(pipe_->read_end(), nullptr, drain_.get(), nullptr, bytes, SPLICE_F_MOVE);
    if (gone < 0 && errno == EINTR) continue;
    if (gone <= 0) return Error::system("cannot empty a pipe", gone == 0 ? EPIPE : errno);
    bytes -= static_cast<size_t>(gone);
  }
  return ok_status();
}

}  // namespace grapnel::hooks::pipe
