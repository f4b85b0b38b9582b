#include "cli/output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "cli/interrupt.h"

namespace grapnel::cli {

void Output::flush() {
  std::optional<EndsOnInterrupt> blocking_write;
  if (on_interrupt_ == OnInterrupt::fail) {
    blocking_write.emplace();
    if (interrupt_token().cancelled() && !error_) {
      error_ =
          api::Error{api::ErrorKind::cancelled, "the query was cancelled", {}, 0, std::nullopt};
    }
  }
  size_t done = 0;
  while (done < buffer_.size() && !error_) {
    const ssize_t written = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR) {
      error_ = api::Error{api::ErrorKind::io, "cannot write " + what_,
                          "what is there is incomplete", errno, std::nullopt};
    }
  }
  buffer_.clear();
}

bool Output::is_blocked() const {
  pollfd writable{fd_, POLLOUT, 0};
  // An error, too, is for write() to find.
  return ::poll(&writable, 1, 0) == 0;
}

std::optional<api::Error> Output::finish() {
  flush();
  return error_;
}

std::optional<api::Error> write_file(const std::string& path, const std::string& what,
                                     const std::function<void(Output&)>& fill) {
  const std::string where = what + " to " + path;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    return api::Error{api::ErrorKind::io, "cannot write " + where,
                      "name a file in a directory that you may write to", errno, std::nullopt};
  }
  Output output(fd, Output::OnInterrupt::write_on, where);
  fill(output);
  auto error = output.finish();
  // A file system may tell only now that there is no room.
  if (::close(fd) != 0 && !error) {
    error = api::Error{api::ErrorKind::io, "cannot write " + where, "what is there is incomplete",
                       errno, std::nullopt};
  }
  return error;
}

bool protect_standard_streams() {
  bool output_open = true;
  for (int fd = 0; fd <= 2; fd++) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest free number, which is this one.
    if (::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) ::_exit(1);
    if (fd == 1) output_open = false;
  }
  return output_open;
}

}  // namespace grapnel::cli
