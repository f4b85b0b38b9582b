// The worker's side of the board (board.h): loads the programs, tells them which files are meant,
// takes what they have marked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lower/bpf/object.h"
#include "watch/board.h"
#include "watch/cost.h"
#include "watch/places.h"

struct ring_buffer;

namespace grapnel::watch {

struct WatchedFile {
  int descriptor = -1;  ///< open as long as the board
  uint64_t bytes = 0;
};

struct BoardOptions {
  size_t memory_bytes = 0;  ///< for marks, ours included
  bool attribute = false;   ///< count by process
};

struct FileCounts {
  uint64_t asked_bytes = 0;
  uint64_t direct_bytes = 0;
  uint64_t audited_pages = 0;
  uint64_t marked_pages = 0;
};

struct ReaderCounts {
  uint64_t started_ns = 0;  ///< since boot
  uint32_t process = 0;     ///< 0: in no namespace that we see
  bool kernel_thread = false;
  std::string comm;
  uint64_t cgroup = 0;
  uint64_t asked_bytes = 0;
  uint64_t first_bytes = 0;
  uint64_t caused_bytes = 0;
};

/// Used by one thread. Everything in the kernel goes away with it, or with the process.
class Board {
 public:
  /// Loads, but does not attach. Errors: permission, hook, limit.
  static Result<Board> open(const std::vector<WatchedFile>& files, const BoardOptions& options);

  /// From here on reads are seen. Errors: as Attachment::attach.
  Status attach();
  void detach() { attachment_.detach(); }
  [[nodiscard]] const std::vector<TriedPlace>& places() const { return attachment_.places(); }

  /// Number of the i-th file; two that are the same file have the same.
  [[nodiscard]] uint32_t number(size_t i) const { return numbers_[i]; }

  /// True if pages of the file were marked since the last call.
  bool take_fresh(uint32_t file);
  [[nodiscard]] uint32_t used_slots() const;
  /// The slot, if pages in it were marked since the last call; else nullptr. Its words are changed
  /// by the kernel meanwhile: to be used by atomic operations only.
  gr_watch_slot* take_fresh_slot(uint32_t slot);
  /// Sleeps until something is marked.
  void wait(int timeout_ms);

  /// So many events of 256 are let go, to cost less. What nobody saw is not covered.
  void leave_out(uint32_t of_256);

  /// What the programs in the kernel have counted of themselves.
  [[nodiscard]] CpuCounts cpus() const;
  [[nodiscard]] FileCounts counts(uint32_t file) const;
  /// Of one file.
  [[nodiscard]] std::vector<ReaderCounts> readers(uint32_t file) const;
  [[nodiscard]] uint64_t lost_pages() const;  ///< there was no memory to mark them
  [[nodiscard]] uint64_t lost_readers() const;
  /// Times that the kernel left out one of our programs, because it ran on that CPU already: of any
  /// file, nobody knows which.
  [[nodiscard]] uint64_t lost_events() const;

 private:
  struct BellCloser {
    void operator()(ring_buffer* bell) const;
  };
  Board() = default;
  Status arm(const std::vector<WatchedFile>& files);
  [[nodiscard]] bool any_fresh() const;
  [[nodiscard]] gr_watch_control& control() const { return control_.element<gr_watch_control>(0); }

  std::unique_ptr<lower::bpf::Object> object_;
  lower::bpf::MapMemory control_, files_, slots_, cpus_;
  std::unique_ptr<ring_buffer, BellCloser> bell_;
  Attachment attachment_;
  std::vector<uint32_t> numbers_;
  uint64_t slot_count_ = 0;
};

}  // namespace grapnel::watch
