#include "api/watcher.h"

#include <utility>

namespace grapnel::api {
namespace {

constexpr auto kCancelInterval = std::chrono::milliseconds(10);
constexpr auto kProgressInterval = std::chrono::milliseconds(100);

}  // namespace

Watcher::Watcher(wire::RunningQuery& query, const CancelToken* token, ProgressFunction progress)
    : query_(query), token_(token), progress_(std::move(progress)) {}

Watcher::~Watcher() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Watcher::begin() {
  if (token_ == nullptr && !progress_) return;
  const std::lock_guard lock(mutex_);
  watching_ = true;
  next_progress_ = std::chrono::steady_clock::now() + kProgressInterval;
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  } else if (asleep_) {
    wake_.notify_one();
  }
}

void Watcher::end() {
  const std::lock_guard lock(mutex_);
  watching_ = false;
}

void Watcher::run() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    // Calls often follow each other at once: only after an interval without one does it fall
    // asleep, so that most calls wake nobody.
    const bool early = wake_.wait_for(lock, kCancelInterval, [this] { return ended_; });
    if (early) return;
    if (watching_) {
      look();
    } else {
      asleep_ = true;
      wake_.wait(lock, [this] { return ended_ || watching_; });
      asleep_ = false;
    }
  }
}

void Watcher::look() {
  if (token_ != nullptr && token_->cancelled() && !cancelled_) {
    cancelled_ = true;
    query_.cancel();
  }
  const auto now = std::chrono::steady_clock::now();
  if (!progress_ || now < next_progress_) return;
  next_progress_ += kProgressInterval;
  const auto state = query_.progress();
  progress_({state.bytes_done, state.bytes_total, state.seconds, state.hook});
}

}  // namespace grapnel::api
