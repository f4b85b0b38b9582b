#include "hooks/ship/window.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "hooks/common/user_space.h"

namespace grapnel::hooks::ship {
namespace {

using source::FileChunk;
using source::FileStream;

// How often who waits looks whether the query was cancelled.
constexpr std::chrono::milliseconds kCancelPoll{10};

}  // namespace

Window::Window(OpenStream open, uint64_t begin, uint64_t end, size_t most_bytes)
    : open_(std::move(open)), begin_(begin), end_(end), most_bytes_(most_bytes), position_(begin) {}

Window::~Window() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (stream_ != nullptr) stream_->cancel();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<FileChunk> Window::take(uint64_t offset, uint64_t end, const CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { pull(); });
  for (;;) {
    if (cancel.cancelled()) return cancelled_error();
    auto held = held_.upper_bound(offset);
    if (held != held_.begin()) {
      --held;
      const std::string_view bytes = held->second.chunk.bytes;
      const uint64_t into = offset - held->first;
      if (into < bytes.size()) {
        const uint64_t size = std::min<uint64_t>(bytes.size() - into, end - offset);
        FileChunk part{held->second.chunk.owner, bytes.substr(into, size)};
        use(held, size);
        return part;
      }
    }
    if (outcome_ && !outcome_->ok()) return outcome_->error();
    if (outcome_) return FileChunk{};
    changed_.wait_for(lock, kCancelPoll);
  }
}

void Window::give_up(uint64_t begin, uint64_t end) {
  const std::lock_guard lock(mutex_);
  if (begin >= end) return;
  if (position_ < end) unwanted_[std::max(begin, position_)] = end;
  auto held = held_.upper_bound(begin);
  if (held != held_.begin()) --held;
  while (held != held_.end() && held->first < end) {
    const auto now = held++;
    const uint64_t chunk_end = now->first + now->second.chunk.bytes.size();
    const uint64_t from = std::max(begin, now->first);
    const uint64_t to = std::min(end, chunk_end);
    if (from < to) use(now, to - from);
  }
}

uint64_t Window::held_bytes() const {
  const std::lock_guard lock(mutex_);
  return held_bytes_;
}

/// `bytes` of the chunk are done with.
void Window::use(std::map<uint64_t, Held>::iterator held, uint64_t bytes) {
  held_bytes_ -= bytes;
  held->second.left -= bytes;
  if (held->second.left == 0) held_.erase(held);
  changed_.notify_all();
}

void Window::pull() {
  Status outcome = ok_status();
  try {
    outcome = pull_all();
  } catch (const std::bad_alloc&) {
    outcome = Error{ErrorKind::limit, "out of memory", {}, 0, std::nullopt};
  }
  const std::lock_guard lock(mutex_);
  stream_ = nullptr;
  outcome_ = std::move(outcome);
  changed_.notify_all();
}

Status Window::pull_all() {
  GRAPNEL_TRY(const std::unique_ptr<FileStream> stream, open_());
  {
    const std::lock_guard lock(mutex_);
    stream_ = stream.get();
  }
  // Taken back before the stream goes, so that nobody cancels what is not there.
  const auto forget = [this](FileStream*) {
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
  };
  const std::unique_ptr<FileStream, decltype(forget)> known(stream.get(), forget);
  while (wait_for_room()) {
    GRAPNEL_TRY(FileChunk chunk, stream->next());
    if (chunk.bytes.empty()) break;
    put(std::move(chunk));
  }
  return ok_status();
}

bool Window::wait_for_room() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || held_bytes_ < most_bytes_; });
  return !stopped_ && position_ < end_;
}

void Window::put(FileChunk chunk) {
  const std::lock_guard lock(mutex_);
  const uint64_t begin = position_;
  position_ += chunk.bytes.size();
  const uint64_t wanted = chunk.bytes.size() - take_unwanted(begin, position_);
  if (wanted == 0) return;
  held_bytes_ += wanted;
  held_.emplace(begin, Held{std::move(chunk), wanted});
  changed_.notify_all();
}

/// How much of [begin, end), which has just come, was given up before.
uint64_t Window::take_unwanted(uint64_t begin, uint64_t end) {
  uint64_t bytes = 0;
  while (!unwanted_.empty() && unwanted_.begin()->first < end) {
    const auto [from, to] = *unwanted_.begin();
    unwanted_.erase(unwanted_.begin());
    bytes += std::min(to, end) - std::max(from, begin);
    if (to > end) unwanted_[end] = to;
  }
  return bytes;
}

}  // namespace grapnel::hooks::ship
