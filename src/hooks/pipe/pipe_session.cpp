#include "hooks/pipe/pipe_session.h"

#include <utility>

#include "hooks/pipe/request.h"

namespace grapnel::hooks::pipe {

PipeSession::PipeSession(std::shared_ptr<const program::Job> job,
                         std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place,
                         uint64_t page_constant)
    : OrderedSession(std::move(job), std::move(program), std::move(place)),
      page_constant_(page_constant) {}

Result<std::unique_ptr<Session>> PipeSession::open(std::shared_ptr<const program::Job> job,
                                                   std::shared_ptr<kernel::KernelProgram> program,
                                                   uint64_t page_constant) {
  GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
  return std::unique_ptr<Session>(
      new PipeSession(std::move(job), std::move(program), std::move(place), page_constant));
}

Result<size_t> PipeSession::feed(uint64_t offset, size_t bytes, ExtentResult&) {
  if (!pipe_) {
    GRAPNEL_TRY(pipe_, kernel::FilePipe::open(kernel::kRunBytes));
  }
  GRAPNEL_TRY(const size_t filled, pipe_->fill(*job().source, offset, bytes));
  GRAPNEL_CHECK(run_program());
  GRAPNEL_CHECK(pipe_->empty(filled));
  return filled;
}

Status PipeSession::run_program() {
  gr_request request{place().number(), static_cast<gr_u32>(pipe_->read_end()), page_constant_};
  const int program = place().object().program(kEntry);
  GRAPNEL_TRY(const uint32_t failed,
              lower::bpf::run_syscall_program(program, &request, sizeof request));
  if (failed != 0) return hook_error("the program in the kernel stopped early");
  return ok_status();
}

}  // namespace grapnel::hooks::pipe
