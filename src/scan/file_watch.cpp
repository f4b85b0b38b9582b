#include "scan/file_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>

namespace grapnel::scan {
namespace {

int64_t nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Error changed(const source::Source& source, std::string how) {
  Error error;
  error.kind = ErrorKind::changed;
  error.message = source.path + " " + std::move(how) + " during the query; there is no result";
  error.hint = "run the query again when nobody writes to the file, or on a copy or snapshot";
  return error;
}

}  // namespace

FileWatch::FileWatch(const source::Source& source) : source_(source) {
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
  if (lease_ != Lease::writers) return ok_status();
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
  struct stat now{};
  if (fstat(source_.file.get(), &now) != 0) {
    return Error::system("cannot look at " + source_.path, errno);
  }
  const source::FileIdentity& before = source_.identity;
  const auto size = static_cast<uint64_t>(now.st_size);
  if (size < before.size) {
    return changed(source_, "shrank from " + std::to_string(before.size) + " to " +
                                std::to_string(size) + " bytes");
  }
  const bool same_times =
      nanoseconds(now.st_mtim) == before.mtime_ns && nanoseconds(now.st_ctim) == before.ctime_ns;
  if (size == before.size) {
    if (same_times) return ok_status();
    if (now.st_nlink == 0) return changed(source_, "was replaced or deleted");
    if (nanoseconds(now.st_mtim) != before.mtime_ns) return changed(source_, "was written to");
    return changed(source_, "was renamed or got other attributes, or its times were set back,");
  }
  if (now.st_nlink == 0) return changed(source_, "was replaced or deleted");
  if (error_if_grown) {
    return changed(source_, "grew from " + std::to_string(before.size) + " to " +
                                std::to_string(size) + " bytes");
  }
  warnings.push_back(
      source_.path + " grew from " + std::to_string(before.size) + " to " + std::to_string(size) +
      " bytes during the query; the result is that of the first " + std::to_string(before.size));
  return ok_status();
}

std::string FileWatch::stability() const {
  switch (lease_) {
    case Lease::held:
      return "leased";
    case Lease::writers:
      return "open for writing";
    case Lease::given_back:
    case Lease::refused:
      break;
  }
  return "checked";
}

}  // namespace grapnel::scan
