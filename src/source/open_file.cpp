#include "source/open_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace grapnel::source {
namespace {

constexpr int kOpenAttempts = 16;

int open_below(int directory_fd, const std::string& path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed while the path was walked, so ".." could not be judged.
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    const long fd = syscall(SYS_openat2, directory_fd, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return -1;
}

UniqueFd open_path(const std::string& path, const OpenOptions& options, int flags) {
  flags |= O_CLOEXEC;
  if (options.beneath) return UniqueFd(open_below(options.directory_fd, path, flags));
  const int directory = options.directory_fd >= 0 ? options.directory_fd : AT_FDCWD;
  int fd = -1;
  do {
    fd = openat(directory, path.c_str(), flags);
  } while (fd < 0 && errno == EINTR);
  return UniqueFd(fd);
}

Error open_error(const std::string& path, int error_number, const OpenOptions& options) {
  if (options.beneath && error_number == EXDEV) {
    return Error{ErrorKind::permission, path + " leads out of the directory that is served",
                 "give a path relative to that directory, without symbolic links that leave it"};
  }
  std::string hint;
  if (error_number == ENOENT && !options.beneath)
    hint = "paths are relative to the working directory";
  if (error_number == ENOENT && options.beneath)
    hint = "paths are relative to the directory that is served";
  if (error_number == ELOOP) hint = "a loop of symbolic links, or a link that may not be followed";
  if (error_number == EACCES)
    hint = "this user may not read the file, or not search a directory on the way to it";
  Error error = Error::system("cannot open " + path, error_number, std::move(hint));
  if (error_number == EACCES || error_number == EPERM) error.kind = ErrorKind::permission;
  return error;
}

const char* kind_in_words(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe (FIFO)";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  return "no regular file";
}

Status check_regular(const std::string& path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) return ok_status();
  return Error{ErrorKind::usage, path + " is " + kind_in_words(status.st_mode),
               S_ISDIR(status.st_mode) ? "name one file in it"
                                       : "grapnel reads regular files, whose size is known and "
                                         "which can be read in parts: save the data to a file"};
}

Result<struct stat> status_of(int fd, const std::string& path) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) return Error::system("cannot stat " + path, errno);
  return status;
}

int64_t nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Result<OpenFile> open_regular_file(const std::string& path, const OpenOptions& options) {
  if (path.empty() || path.find('\0') != std::string::npos)
    return Error{ErrorKind::usage, "the path is empty or contains a NUL byte", ""};
  // First without opening: only the kind is looked at.
  const UniqueFd probe = open_path(path, options, O_PATH);
  if (!probe.valid()) return open_error(path, errno, options);
  GRAPNEL_TRY(const struct stat kind, status_of(probe.get(), path));
  GRAPNEL_CHECK(check_regular(path, kind));
  // It may have been replaced since: O_NONBLOCK, so that even then nothing waits.
  OpenFile file;
  constexpr int kFlags = O_RDONLY | O_NOCTTY | O_NONBLOCK;
  file.fd = open_path(path, options, kFlags | O_NOATIME);
  if (!file.fd.valid() && errno == EPERM) file.fd = open_path(path, options, kFlags);
  if (!file.fd.valid()) return open_error(path, errno, options);
  GRAPNEL_TRY(const struct stat status, status_of(file.fd.get(), path));
  GRAPNEL_CHECK(check_regular(path, status));
  // io_uring takes O_NONBLOCK as "fail rather than wait", for regular files too.
  const int flags = fcntl(file.fd.get(), F_GETFL);
  if (flags < 0 || fcntl(file.fd.get(), F_SETFL, flags & ~O_NONBLOCK) != 0)
    return Error::system("cannot set the flags of " + path, errno);
  file.identity = identity_of(status);
  return file;
}

}  // namespace grapnel::source
