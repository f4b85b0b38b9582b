// Standard output, buffered, with every write checked: a full disk or a closed pipe must not look
// like success.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "grapnel/grapnel.h"

namespace grapnel::cli {

class Output {
 public:
  /// What a write does once the process was told to stop.
  enum class OnInterrupt : uint8_t {
    fail,      ///< the result is incomplete then; a write that waits ends the process
    write_on,  ///< being told to stop was the way to get the result: a write goes on waiting, and
               ///< only being told once more ends the process
  };
  /// `what` is for the message of an error: "cannot write " + what.
  explicit Output(int fd, OnInterrupt on_interrupt = OnInterrupt::fail,
                  std::string what = "the result to standard output")
      : fd_(fd), on_interrupt_(on_interrupt), what_(std::move(what)) {}

  /// The buffer: append here, then call flush_if_full.
  std::string& buffer() { return buffer_; }
  void write(std::string_view text) { buffer_ += text; }
  /// Writes the buffer when it has grown to a good size for a write. After an error nothing is
  /// written any more; finish() reports it.
  void flush_if_full() {
    if (buffer_.size() >= kFlushBytes) flush();
  }
  void flush();
  /// Would a write wait for the reader?
  [[nodiscard]] bool is_blocked() const;
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  /// Writes what is left. The first error of all writes, if there was one.
  std::optional<api::Error> finish();

 private:
  static constexpr size_t kFlushBytes = 256 << 10;
  int fd_;
  OnInterrupt on_interrupt_;
  std::string what_;
  std::string buffer_;
  std::optional<api::Error> error_;
};

/// Writes a file anew: `what` it is, "the intervals", and `fill` writes it. Even if the process was
/// told to stop meanwhile: the file is what it was run for.
std::optional<api::Error> write_file(const std::string& path, const std::string& what,
                                     const std::function<void(Output&)>& fill);

/// Opens /dev/null in place of standard streams that were closed, so that a file opened later does
/// not become one of them. False if standard output was closed.
bool protect_standard_streams();

}  // namespace grapnel::cli
