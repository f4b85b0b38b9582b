// Asks the device for the pages of an extent, some requests ahead.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/unique_fd.h"
#include "hooks/block/spans.h"
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

/// Keeps the requests of the calling thread apart from their neighbours in the file, whoever sends
/// those. The block layer merges neighbours that wait for the device, but only if their I/O
/// priorities are equal (blk_rq_merge_ok): so the levels go by the place in the file. Set back at
/// the end.
class RequestSeparator {
 public:
  RequestSeparator();
  RequestSeparator(const RequestSeparator&) = delete;
  RequestSeparator& operator=(const RequestSeparator&) = delete;
  ~RequestSeparator();
  /// The next request will not be merged with one of another kind, 0 to 3.
  void separate(int kind);

 private:
  int usual_;     ///< priority of the thread
  int priority_;  ///< of requests of kind 0
};

/// The requests of one extent, in file order. Used by one thread.
class ReadAhead {
 public:
  /// `request_bytes`: of each request; they end at multiples of it. `some_cached`: the kernel makes
  /// several of one, since it passes over what is cached.
  ReadAhead(const source::Source& source, int file, const Extent& extent, uint64_t request_bytes,
            bool some_cached);

  /// Sends the next request; false if there is none any more.
  bool send(RequestSeparator& separator);
  [[nodiscard]] size_t in_flight() const { return in_flight_.size(); }
  /// Waits until the pages of the oldest request are there. Errors: io, changed.
  Status wait();

 private:
  /// Waits for the page of that byte.
  Status wait_for(uint64_t at);

  const source::Source& source_;
  int file_;
  uint64_t begin_, next_, end_, request_bytes_;
  bool some_cached_;
  std::deque<Span> in_flight_;
};

}  // namespace grapnel::hooks::block
