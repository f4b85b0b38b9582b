#include "scan/file_watch.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>

namespace grapnel::scan {
using source::file_changed;
using source::FileIdentity;
using source::FileState;
using source::Stability;

FileWatch::FileWatch(const source::Source& source) : source_(source) {
  if (source.remote) return;  // watched where it lies
  const int file = source.file.get();
  // A writer that waits for the lease raises SIGIO by default, which would end the process. poll()
  // finds out by itself; SIGURG is ignored unless somebody asks for it.
  if (fcntl(file, F_SETSIG, SIGURG) != 0) return;
  if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
    lease_ = Lease::held;
  } else if (errno == EAGAIN) {
    lease_ = Lease::writers;
  }
}

FileWatch::~FileWatch() {
  if (lease_ == Lease::held) release();
}

Status FileWatch::refuse_writers() const {
  if (stability() != Stability::writers) return ok_status();
  Error error;
  error.kind = ErrorKind::changed;
  error.message =
      source_.path + " is open for writing: the answer might be of no moment of the file";
  error.hint = "wait for the writer, or leave --strict away";
  return error;
}

void FileWatch::poll() {
  if (lease_ != Lease::held) return;
  // While a writer waits, the kernel names the type that we are to go down to.
  if (fcntl(source_.file.get(), F_GETLEASE) == F_RDLCK) return;
  release();
  lease_ = Lease::given_back;
}

void FileWatch::release() { (void)fcntl(source_.file.get(), F_SETLEASE, F_UNLCK); }

Status FileWatch::check(bool error_if_grown, std::vector<std::string>& warnings) {
  poll();
  GRAPNEL_TRY(const FileState now, source::look_at(source_));
  const FileIdentity& before = source_.identity;
  const uint64_t size = now.identity.size;
  const std::string sizes = "from " + std::to_string(before.size) + " to " + std::to_string(size);
  if (size < before.size) return file_changed(source_.path, "shrank " + sizes + " bytes");
  const bool written = now.identity.mtime_ns != before.mtime_ns;
  if (size == before.size && !written && now.identity.ctime_ns == before.ctime_ns) {
    return ok_status();
  }
  if (now.links == 0) return file_changed(source_.path, source::kReplaced);
  if (size == before.size) {
    return file_changed(
        source_.path, written ? "was written to"
                              : "was renamed or got other attributes, or its times were set back,");
  }
  if (error_if_grown) return file_changed(source_.path, "grew " + sizes + " bytes");
  warnings.push_back(source_.path + " grew " + sizes +
                     " bytes during the query; the result is that of the first " +
                     std::to_string(before.size));
  return ok_status();
}

Stability FileWatch::stability() const {
  if (source_.remote) return source_.remote->last_state().stability;
  switch (lease_) {
    case Lease::held:
      return Stability::leased;
    case Lease::writers:
      return Stability::writers;
    case Lease::given_back:
    case Lease::refused:
      break;
  }
  return Stability::checked;
}

}  // namespace grapnel::scan
