#include "scan/sequencer.h"

#include <string>
#include <utility>

#include "base/limits.h"

namespace grapnel::scan {

Sequencer::Sequencer(uint32_t count, unsigned threads)
    : count_(count), window_(4 * threads + 4), kept_for_others_(2 * threads) {}

std::optional<uint32_t> Sequencer::claim() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return stopped_ || claimed_ == count_ || (window_open() && errors_waiting_ == 0);
  });
  if (stopped_ || claimed_ == count_) return std::nullopt;
  return static_cast<uint32_t>(claimed_++);
}

std::optional<uint32_t> Sequencer::claim_ahead() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || errors_waiting_ > 0 || !window_open()) return std::nullopt;
  if (claimed_ + kept_for_others_ >= count_) return std::nullopt;
  return static_cast<uint32_t>(claimed_++);
}

void Sequencer::put(Driven driven) {
  const std::lock_guard lock(mutex_);
  if (!driven.result.ok()) {
    errors_waiting_++;
  } else {
    hooks::ExtentResult& result = driven.result.value();
    driven.head_size = result.head.size();
    driven.tail_size = result.tail.size();
    const size_t bytes = driven.head_size + driven.tail_size;
    if (waiting_fragment_bytes_ + bytes > limits::kWaitingFragmentBytes) {
      result.head = std::string();
      result.tail = std::string();
    } else {
      waiting_fragment_bytes_ += bytes;
    }
  }
  const uint32_t number = driven.extent.number;
  waiting_.emplace(number, std::move(driven));
}

std::optional<Driven> Sequencer::take_next() {
  const std::lock_guard lock(mutex_);
  const auto next = waiting_.begin();
  if (stopped_ || taking_ || next == waiting_.end() || next->first != frontier_) {
    return std::nullopt;
  }
  taking_ = true;
  Driven driven = std::move(next->second);
  waiting_.erase(next);
  error_in_hand_ = !driven.result.ok();
  if (!error_in_hand_) {
    waiting_fragment_bytes_ -= driven.result->head.size() + driven.result->tail.size();
  }
  return driven;
}

void Sequencer::next_done() {
  const std::lock_guard lock(mutex_);
  taking_ = false;
  frontier_++;
  if (error_in_hand_) errors_waiting_--;
  error_in_hand_ = false;
  changed_.notify_all();
}

void Sequencer::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace grapnel::scan
