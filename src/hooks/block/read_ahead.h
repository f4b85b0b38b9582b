// Asks the device for the pages of an extent, some requests ahead.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/unique_fd.h"
#include "hooks/hook.h"

namespace grapnel::hooks::block {

/// A description of the file of our own, without the kernel's own readahead: it would make larger
/// requests than we want, of bytes that nobody watches yet.
class QuietFile {
 public:
  explicit QuietFile(const source::Source& source);
  [[nodiscard]] int get() const { return own_.valid() ? own_.get() : usual_; }

 private:
  int usual_;
  UniqueFd own_;
};

/// Keeps the requests of the calling thread apart. The block layer merges neighbours that wait for
/// the device, but only if their I/O priorities are equal (blk_rq_merge_ok): so each one has
/// another priority than the one before, by one level. Set back at the end.
class RequestSeparator {
 public:
  RequestSeparator();
  RequestSeparator(const RequestSeparator&) = delete;
  RequestSeparator& operator=(const RequestSeparator&) = delete;
  ~RequestSeparator();
  /// The next request will not be merged with the last one.
  void separate();

 private:
  int usual_;  ///< priority of the thread
  int now_;
};

/// The requests of one extent, in file order. Used by one thread.
class ReadAhead {
 public:
  /// `request_bytes`: of each request; they end at multiples of it.
  ReadAhead(const source::Source& source, int file, const Extent& extent, uint64_t request_bytes);

  /// Sends the next request; false if there is none any more. What is cached is passed over by the
  /// kernel.
  bool send(RequestSeparator& separator);
  [[nodiscard]] size_t in_flight() const { return in_flight_.size(); }
  /// Waits until the pages of the oldest request are there. Errors: io, changed.
  Status wait();

 private:
  const source::Source& source_;
  int file_;
  uint64_t next_, end_, request_bytes_;
  std::deque<uint64_t> in_flight_;  ///< where each request ends
};

}  // namespace grapnel::hooks::block
