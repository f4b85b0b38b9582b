#include "hooks/ship/shipped_file.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace grapnel::hooks::ship {
namespace {

using source::FileChunk;
using source::FileState;
using source::FileStream;

/// What has come already, as a stream.
class HeadStream final : public FileStream {
 public:
  HeadStream(std::string_view bytes, FileState state) : rest_(bytes), state_(state) {}
  Result<FileChunk> next() override { return FileChunk{nullptr, std::exchange(rest_, {})}; }
  [[nodiscard]] FileState state() const override { return state_; }
  void cancel() override {}

 private:
  std::string_view rest_;
  FileState state_;
};

}  // namespace

/// A stream whose bytes are counted, and whose file's state is noted.
class ShippedFile::Watched final : public FileStream {
 public:
  Watched(ShippedFile& file, std::unique_ptr<FileStream> stream)
      : file_(file), stream_(std::move(stream)) {}

  Result<FileChunk> next() override {
    auto chunk = stream_->next();
    if (chunk.ok()) file_.note(stream_->state(), chunk->bytes.size());
    return chunk;
  }
  [[nodiscard]] FileState state() const override { return stream_->state(); }
  void cancel() override { stream_->cancel(); }

 private:
  ShippedFile& file_;
  std::unique_ptr<FileStream> stream_;
};

ShippedFile::ShippedFile(Server server, std::string path)
    : server_(std::move(server)), path_(std::move(path)) {}

Result<std::shared_ptr<ShippedFile>> ShippedFile::open(Server server, const std::string& path) {
  std::shared_ptr<ShippedFile> file(new ShippedFile(std::move(server), path));
  GRAPNEL_CHECK(file->read_head());
  return file;
}

Status ShippedFile::read_head() {
  source::FileRequest request;
  request.path = path_;
  request.end = limits::kFileHeadBytes;
  GRAPNEL_TRY(const auto stream, server_.open(request));
  GRAPNEL_TRY(FileChunk chunk, stream->next());
  identity_ = stream->state().identity;
  while (!chunk.bytes.empty()) {
    head_.append(chunk.bytes);
    GRAPNEL_TRY(chunk, stream->next());
  }
  note(stream->state(), head_.size());
  return ok_status();
}

void ShippedFile::note(const FileState& state, size_t bytes) {
  const std::lock_guard lock(mutex_);
  last_state_ = state;
  bytes_received_ += bytes;
}

FileState ShippedFile::last_state() const {
  const std::lock_guard lock(mutex_);
  return last_state_;
}

uint64_t ShippedFile::bytes_received() const {
  const std::lock_guard lock(mutex_);
  return bytes_received_;
}

Result<std::unique_ptr<FileStream>> ShippedFile::stream(uint64_t begin, uint64_t end) {
  const bool head_is_all = head_.size() < limits::kFileHeadBytes;
  if (end > head_.size() && !head_is_all) return ask(begin, end);
  const auto known = static_cast<size_t>(std::min<uint64_t>(end, head_.size()));
  const auto from = static_cast<size_t>(std::min<uint64_t>(begin, known));
  return std::unique_ptr<FileStream>(std::make_unique<HeadStream>(
      std::string_view(head_).substr(from, known - from), last_state()));
}

Result<std::unique_ptr<FileStream>> ShippedFile::ask(uint64_t begin, uint64_t end) {
  GRAPNEL_TRY(auto stream, server_.open({path_, begin, end, identity_}));
  return std::unique_ptr<FileStream>(std::make_unique<Watched>(*this, std::move(stream)));
}

std::shared_ptr<Window> ShippedFile::make_window(uint64_t begin, uint64_t end) {
  return std::make_shared<Window>([this, begin, end] { return ask(begin, end); }, begin, end,
                                  limits::kShipWindowBytes);
}

std::shared_ptr<Window> ShippedFile::window_for(const Extent& extent,
                                                std::shared_ptr<Window>& shared) {
  const std::lock_guard lock(mutex_);
  const uint64_t begin = std::max<uint64_t>(extent.begin, head_.size());
  if (extent.again) return make_window(begin, extent.end);
  if (!shared) shared = known_shared_.lock();
  if (!shared) {
    // A first worker may come with any extent; one that comes when all others have closed has one
    // of the last.
    shared = make_window(has_shared_ ? begin : head_.size(), identity_.size);
    known_shared_ = shared;
    has_shared_ = true;
  }
  return begin >= shared->begin() ? shared : make_window(begin, extent.end);
}

}  // namespace grapnel::hooks::ship
