// One watched file: takes the pages that others have read, and feeds those that are still cached to
// the statements on it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "hooks/common/user_space.h"
#include "watch/board.h"
#include "watch/cached_bytes.h"
#include "watch/ranges.h"
#include "watch/standing_query.h"

namespace grapnel::watch {

/// Used by one thread.
class FileScan {
 public:
  /// `queries` (not empty) are on the same file and outlive it. `between_pieces` is called some
  /// hundred times a second while there is much to be done: others wait meanwhile. Errors:
  /// permission, hook, limit.
  static Result<std::unique_ptr<FileScan>> open(std::vector<StandingQuery*> queries,
                                                std::function<void()> between_pieces);

  /// Computes what is marked in a slot of this file and was not taken before. Pages that the kernel
  /// has marked before their bytes have arrived are looked at again for a quarter of a second.
  void take(gr_watch_slot& slot);
  /// Looks again at pages that were not there. True if any were due.
  bool look_again();
  /// When that is next worth while, as steady_nanoseconds(); UINT64_MAX: nothing waits.
  [[nodiscard]] uint64_t next_look_ns() const;
  /// Offers again what has got a neighbour since.
  void offer_unknown();

  /// Reads what a statement is missing, by plain reads. Errors end the statement.
  void complete(StandingQuery& query);

  [[nodiscard]] uint64_t gone_pages() const { return gone_pages_; }
  /// Bytes that the device has read for us although we ask only for what is cached.
  [[nodiscard]] uint64_t device_bytes() const { return device_bytes_; }

 private:
  struct Waiting {
    Range pages;
    unsigned looks = 0;
  };
  struct Slot {
    gr_watch_slot* shared = nullptr;
    /// Marks that are taken: computed, waiting, or of no use. The others are new.
    std::array<uint64_t, GR_WATCH_SLOT_WORDS> taken{};
  };

  FileScan(std::vector<StandingQuery*> queries, std::function<void()> between_pieces,
           CachedBytes cached, hooks::PageBuffer buffer);
  [[nodiscard]] bool wants_nothing() const;
  void offer(Range pages, unsigned looks, bool backwards = false);
  void offer_piece(Range pages, unsigned looks);
  void wait_for(Range pages, unsigned looks);
  void give_back(Range pages);
  void give_back_bytes(const std::vector<Range>& bytes);
  void feed(Range pages);
  void feed_one(StandingQuery& query, uint64_t begin, std::string_view bytes);
  bool offer_unknown_of(StandingQuery& query);
  void complete_range(StandingQuery& query, Range bytes);
  void fail_all(const Error& error);

  const std::vector<StandingQuery*> queries_;
  const std::function<void()> between_pieces_;
  const uint64_t file_bytes_;
  CachedBytes cached_;
  hooks::PageBuffer buffer_;
  std::map<uint64_t, Slot> slots_;            ///< by first page
  std::multimap<uint64_t, Waiting> waiting_;  ///< by when they are due
  uint64_t gone_pages_ = 0;
  uint64_t device_bytes_ = 0;
};

uint64_t steady_nanoseconds();

}  // namespace grapnel::watch
