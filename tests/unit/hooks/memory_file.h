// A server's file that lies in memory, for the tests of `ship`.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "source/file_stream.h"

namespace grapnel::hooks::ship_test {

/// What a test changes while streams are open.
struct MemoryFile {
  std::string content;
  source::FileState state;
  size_t chunk_bytes = 1000;
  std::optional<Error> error;  ///< ends every stream at `error_at`
  uint64_t error_at = 0;
  std::optional<uint64_t> blocks_at;  ///< streams wait there until they are cancelled
  std::atomic<unsigned> requests{0};

  explicit MemoryFile(std::string bytes) : content(std::move(bytes)) {
    state.identity = {1, 2, content.size(), 3, 4};
  }
};

class MemoryStream final : public source::FileStream {
 public:
  MemoryStream(std::shared_ptr<MemoryFile> file, uint64_t begin, uint64_t end)
      : file_(std::move(file)), position_(begin), end_(end) {}

  Result<source::FileChunk> next() override {
    const MemoryFile& file = *file_;
    if (file.error && position_ >= file.error_at) return *file.error;
    if (file.blocks_at && position_ >= *file.blocks_at) {
      std::unique_lock lock(mutex_);
      cancelled_changed_.wait(lock, [this] { return cancelled_; });
      return Error{ErrorKind::cancelled, "cancelled", {}, 0, std::nullopt};
    }
    const uint64_t end =
        std::min<uint64_t>({end_, file.content.size(), position_ + file.chunk_bytes});
    if (position_ >= end) return source::FileChunk{};
    const auto owner =
        std::make_shared<std::string>(file.content.substr(position_, end - position_));
    position_ = end;
    return source::FileChunk{owner, *owner};
  }
  [[nodiscard]] source::FileState state() const override { return file_->state; }
  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    cancelled_changed_.notify_all();
  }

 private:
  std::shared_ptr<MemoryFile> file_;
  uint64_t position_;
  const uint64_t end_;
  std::mutex mutex_;
  std::condition_variable cancelled_changed_;
  bool cancelled_ = false;
};

inline source::FileOpener opener(const std::shared_ptr<MemoryFile>& file) {
  return [file](const source::FileRequest& request) -> Result<std::unique_ptr<source::FileStream>> {
    file->requests++;
    return std::unique_ptr<source::FileStream>(
        std::make_unique<MemoryStream>(file, request.begin, request.end));
  };
}

}  // namespace grapnel::hooks::ship_test
