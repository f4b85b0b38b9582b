// The `sendfile` hook: the session sends the file to a socket of its own; on the way a BPF program
// works on the message and takes its bytes out, so that nothing arrives. See README.md beside this
// file.
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "anchor_sendfile_bpf.embed.h"
#include "hooks/builtin.h"
#include "hooks/common/user_space.h"
#include "hooks/kernel/attach_probe.h"
#include "hooks/kernel/kernel_hook.h"
#include "hooks/kernel/ordered_session.h"
#include "hooks/kernel/target_guard.h"
#include "hooks/sendfile/socket_pair.h"

namespace grapnel::hooks {
namespace {

constexpr const char* kEntry = "gr_sendfile";
constexpr const char* kSocketMap = "gr_sockets";

/// From now on what is sent on the worker's socket passes the program.
Status put_program_on(const kernel::WorkerPlace& place, int socket) {
  const int sockets = place.object().map_descriptor(kSocketMap);
  const uint32_t number = place.number();
  if (bpf_prog_attach(place.object().program(kEntry), sockets, BPF_SK_MSG_VERDICT, 0) != 0 ||
      bpf_map_update_elem(sockets, &number, &socket, BPF_ANY) != 0) {
    Error error =
        Error::system("cannot put the BPF program on a socket", errno, "use another hook");
    error.kind = error.system_errno == EPERM ? ErrorKind::permission : ErrorKind::hook;
    return error;
  }
  return ok_status();
}

class SendfileSession final : public kernel::OrderedSession {
 public:
  SendfileSession(std::shared_ptr<const program::Job> job,
                  std::shared_ptr<kernel::KernelProgram> program, kernel::WorkerPlace place)
      : OrderedSession(std::move(job), std::move(program), std::move(place)) {}

 private:
  Result<size_t> feed(uint64_t offset, size_t bytes, ExtentResult&) override {
    GRAPNEL_CHECK(make_ready());
    for (;;) {
      auto at = static_cast<off_t>(offset);
      const ssize_t got = ::sendfile(sockets_->sender(), job().source->file.get(), &at, bytes);
      if (got > 0) return static_cast<size_t>(got);
      if (got == 0) return missing_bytes(*job().source, offset);
      if (errno == EINTR) continue;
      if (errno == EINVAL)
        return hook_error("its file system does not support splice", "use a hook in user space");
      return Error::system("cannot send " + job().source->path + " at byte " +
                               std::to_string(offset) + " by sendfile",
                           errno, "look for device or network errors with dmesg");
    }
  }

  /// A socket in which bytes of a failed extent may still be is never used again.
  void abandon() override { sockets_.reset(); }

  Status make_ready() {
    GRAPNEL_CHECK(arm());
    if (sockets_) return ok_status();
    GRAPNEL_TRY(auto sockets, sendfile::SocketPair::open());
    GRAPNEL_CHECK(put_program_on(place(), sockets.sender()));
    sockets_.emplace(std::move(sockets));
    return ok_status();
  }

  std::optional<sendfile::SocketPair> sockets_;
};

class SendfileHook final : public kernel::KernelHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "sendfile"; }
  [[nodiscard]] std::string_view description() const override {
    return "sendfile to a socket, BPF on the message, which is dropped: only the result leaves";
  }
  [[nodiscard]] std::string attach_point() const override {
    return "sk_msg on a sockmap (exact, pinned by the message)";
  }
  [[nodiscard]] HookFacts facts() const override {
    return {.uses = "sendfile() to a socket",
            .kind = PlaceKind::helper,
            .since = "5.17",
            .foundation = Foundation::program_type,
            .context = "task, in sendfile(), holding the socket",
            .knows_file_by = "the socket is the session's own",
            .knows_process_by = "the thread that drives the session",
            .tax = "none: the program sits on one socket"};
  }

  Result<std::unique_ptr<Session>> open(std::shared_ptr<const program::Job> job,
                                        std::shared_ptr<const program::Program>) override {
    const kernel::Anchor anchor{name(), bitcode(), kEntry, {}, {kernel::kArmProgram}};
    GRAPNEL_TRY(auto program, program_for(job, anchor));
    GRAPNEL_TRY(kernel::WorkerPlace place, program->take_place());
    return std::unique_ptr<Session>(
        new SendfileSession(std::move(job), std::move(program), std::move(place)));
  }

 protected:
  [[nodiscard]] std::string_view bitcode() const override {
    return embedded::anchor_sendfile_bpf();
  }
  Verdict probe(const kernel::KernelAccess&) override {
    const auto sockets = sendfile::SocketPair::open();
    if (!sockets.ok()) return Verdict::refuse(sockets.error().message, sockets.error().hint);
    return kernel::can_use_sk_msg();
  }
  Verdict suits(const program::Job& job) override { return kernel::can_splice(*job.source); }
};

}  // namespace

Hook& sendfile_hook() {
  static SendfileHook hook;
  return hook;
}

}  // namespace grapnel::hooks
