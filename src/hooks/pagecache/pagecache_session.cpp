#include "hooks/pagecache/pagecache_session.h"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace grapnel::hooks::pagecache {
namespace {

using std::chrono::microseconds;

/// An event is lost where the kernel gets a page by a way that has none, or where another thread is
/// in the program on this CPU. Most often the page is there the next time; the pauses are for the
/// rest, and sum up to 0.4 s.
constexpr unsigned kMostAttempts = 12;
constexpr microseconds kFirstPause{100};

void pause_before(unsigned attempt) {
  if (attempt >= 2) std::this_thread::sleep_for(kFirstPause * (1 << (attempt - 2)));
}

}  // namespace

Result<std::unique_ptr<Session>> PageCacheSession::open(
    std::shared_ptr<const program::Job> job, std::shared_ptr<kernel::KernelProgram> program) {
  GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
  return std::unique_ptr<Session>(
      new PageCacheSession(std::move(job), std::move(program), std::move(place)));
}

Status PageCacheSession::make_ready() {
  GRAPNEL_CHECK(arm());
  if (!pipe_) {
    GRAPNEL_TRY(pipe_, kernel::FilePipe::open(kernel::kRunBytes));
  }
  return ok_status();
}

Status PageCacheSession::pass_by(uint64_t offset, size_t bytes) {
  GRAPNEL_TRY(const size_t filled, pipe_->fill(*job().source, offset, bytes));
  return pipe_->empty(filled);
}

Result<size_t> PageCacheSession::feed(uint64_t offset, size_t bytes, ExtentResult&) {
  GRAPNEL_CHECK(make_ready());
  const gr_worker& worker = place().worker();
  const Limit limit(*this, offset + bytes);
  for (unsigned attempt = 0; attempt < kMostAttempts; attempt++) {
    pause_before(attempt);
    GRAPNEL_CHECK(pass_by(offset, bytes));
    const uint64_t seen = worker.file_offset - offset;
    if (seen > 0 || worker.status != GR_STATUS_OK) return seen;
  }
  return hook_error("the program at the page cache saw nothing of what was read at byte " +
                        std::to_string(offset) +
                        ": its file system reads another way, or the kernel lost the events",
                    "use another hook");
}

}  // namespace grapnel::hooks::pagecache
