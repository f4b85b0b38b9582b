#include "engine/file_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "hooks/common/user_space.h"
#include "scan/file_watch.h"

namespace grapnel::engine {
namespace {

using source::FileChunk;
using source::FileRequest;
using source::FileState;
using source::FileStream;
using source::Source;

// While nobody takes what was read: how often a writer that waits for the lease is looked for.
constexpr std::chrono::milliseconds kLeasePoll{10};
constexpr size_t kMostWaiting = limits::kFileAheadBytes / limits::kFileChunkBytes;

struct Piece {
  FileChunk chunk;  ///< no bytes: the end
  FileState state;  ///< of the file, see source::FileStream::state()
};

class FileReader final : public FileStream {
 public:
  /// `opening`: nobody knows the file yet.
  FileReader(std::shared_ptr<const Source> file, uint64_t begin, uint64_t end, bool opening)
      : file_(std::move(file)), opening_(opening), position_(begin), end_(end) {
    // One piece is somebody's look at the file; what follows may never be asked for.
    const int advice =
        end - begin > limits::kFileChunkBytes ? POSIX_FADV_SEQUENTIAL : POSIX_FADV_RANDOM;
    (void)posix_fadvise(file_->file.get(), 0, 0, advice);
    thread_ = std::thread([this] { produce(); });
  }
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  ~FileReader() override {
    cancel();
    thread_.join();
  }

  Result<FileChunk> next() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || outcome_ || !waiting_.empty(); });
    if (stopped_) return hooks::cancelled_error();
    if (waiting_.empty()) {
      if (!outcome_->ok()) return outcome_->error();
      return FileChunk{};
    }
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    state_ = piece.state;
    changed_.notify_all();
    return std::move(piece.chunk);
  }

  [[nodiscard]] FileState state() const override { return state_; }

  void cancel() override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  void produce() {
    Status outcome = ok_status();
    try {
      outcome = read_all();
    } catch (const std::bad_alloc&) {
      outcome = Error{ErrorKind::limit, "out of memory", {}, 0, std::nullopt};
    }
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  Status read_all() {
    // Ends when all is read: nobody would look for waiting writers any more.
    scan::FileWatch watch(*file_);
    for (bool ended = false; !ended;) {
      if (!wait_for_room(watch)) return ok_status();
      GRAPNEL_TRY(Piece piece, read_piece(watch));
      ended = piece.chunk.bytes.empty();
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(piece));
      changed_.notify_all();
    }
    return ok_status();
  }

  /// False once nobody takes pieces any more.
  bool wait_for_room(scan::FileWatch& watch) {
    std::unique_lock lock(mutex_);
    while (!stopped_ && waiting_.size() >= kMostWaiting) {
      changed_.wait_for(lock, kLeasePoll);
      watch.poll();
    }
    return !stopped_;
  }

  /// The next bytes, up to a multiple of their usual number, so that later reads are aligned.
  Result<Piece> read_piece(scan::FileWatch& watch) {
    const uint64_t border = (position_ / limits::kFileChunkBytes + 1) * limits::kFileChunkBytes;
    const auto wanted = static_cast<size_t>(std::min(border, end_) - std::min(position_, end_));
    Piece piece;
    if (opening_) {
      GRAPNEL_TRY(piece.state, source::look_at(*file_));
    }
    if (wanted > 0) {
      const auto memory = std::make_shared_for_overwrite<char[]>(wanted);
      GRAPNEL_TRY(const size_t got, source::read_at(*file_, position_, memory.get(), wanted));
      position_ += got;
      piece.chunk = {memory, {memory.get(), got}};
    }
    watch.poll();
    if (!opening_) {
      GRAPNEL_TRY(piece.state, source::look_at(*file_));
    }
    piece.state.stability = watch.stability();
    return piece;
  }

  const std::shared_ptr<const Source> file_;
  const bool opening_;
  uint64_t position_;  ///< of the thread
  const uint64_t end_;

  FileState state_;  ///< of who calls next()
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> waiting_;
  std::optional<Status> outcome_;  ///< set when the thread has ended
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<FileStream>> read_file(const FileRequest& request,
                                              const source::OpenOptions& where) {
  if (request.begin > request.end) {
    return Error{ErrorKind::usage,
                 "bytes are asked for whose end lies before their begin",
                 {},
                 0,
                 std::nullopt};
  }
  GRAPNEL_TRY(auto file, source::open_bytes(request.path, where));
  if (request.expected && (request.expected->device != file->identity.device ||
                           request.expected->inode != file->identity.inode)) {
    return source::file_changed(request.path, source::kReplaced);
  }
  constexpr uint64_t kFarthest = std::numeric_limits<off_t>::max();
  return std::unique_ptr<FileStream>(std::make_unique<FileReader>(
      std::move(file), std::min(request.begin, kFarthest), std::min(request.end, kFarthest),
      !request.expected.has_value()));
}

}  // namespace grapnel::engine
