// Hands out extents in file order and brings their outcomes, which come in any order, back into it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "hooks/hook.h"

namespace grapnel::scan {

/// One extent driven by one hook.
struct Driven {
  hooks::Extent extent;
  Result<hooks::ExtentResult> result;
  const hooks::Hook* hook = nullptr;  ///< that gave the result
  /// Sizes of the result's fragments. Their bytes may have been dropped since, to bound memory.
  size_t head_size = 0;
  size_t tail_size = 0;
};

/// Thread-safe. Extents in work or waiting for their turn are bounded by a window, and so are the
/// bytes of waiting fragments (limits::kWaitingFragmentBytes; beyond, their bytes are dropped).
class Sequencer {
 public:
  Sequencer(uint32_t count, unsigned threads);

  /// Number of the next extent for a worker. Waits while the window is full, or while an error
  /// waits for its turn: it may be due to a wrong guess and go away. Empty: no more, or stopped.
  std::optional<uint32_t> claim();
  /// The same, but never waits, and gives nothing near the end, where others may be idle.
  std::optional<uint32_t> claim_ahead();

  void put(Driven driven);

  /// The next outcome in file order, if it is there and no other thread has one of them in hand.
  /// Who gets it must call next_done() after it.
  std::optional<Driven> take_next();
  void next_done();

  /// Wakes all waiting claims; from now on they give nothing.
  void stop();

 private:
  [[nodiscard]] bool window_open() const { return claimed_ < frontier_ + window_; }

  const uint32_t count_;
  const uint32_t window_;
  const uint32_t kept_for_others_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint32_t, Driven> waiting_;
  size_t waiting_fragment_bytes_ = 0;
  uint64_t claimed_ = 0;
  uint64_t frontier_ = 0;  ///< extents before it are taken
  uint32_t errors_waiting_ = 0;
  bool error_in_hand_ = false;
  bool taking_ = false;
  bool stopped_ = false;
};

}  // namespace grapnel::scan
