// A file as bytes, without a meaning: what a server gives to who computes for itself. Interfaces
// only, so that both ends of a network and the network itself can share them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::source {

/// (device, inode, size, times) as seen through our own open descriptor.
struct FileIdentity {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// What vouches for a file that is being read.
enum class Stability : uint8_t {
  leased,   ///< nobody can open it for writing without our being told
  checked,  ///< its size and times are compared
  writers,  ///< compared too, but somebody had it open for writing when the reading began
};
/// "leased", "checked", "open for writing"
std::string_view to_string(Stability stability);

/// A file at some moment, for who knows it from before.
struct FileState {
  FileIdentity identity;
  uint64_t links = 1;  ///< 0: deleted, or another one has its name now
  Stability stability = Stability::checked;
};

struct FileRequest {
  std::string path;
  uint64_t begin = 0;
  uint64_t end = 0;  ///< the stream ends there, or earlier where the file ends
  /// The file that the path named before. Another one is ErrorKind::changed; a change of this one
  /// shows in FileStream::state().
  std::optional<FileIdentity> expected{};
};

/// Bytes, and what keeps them in memory.
struct FileChunk {
  std::shared_ptr<const void> owner{};
  std::string_view bytes{};
};

/// Bytes of a file in order. next() and state() belong to one thread; destroying ends the stream.
class FileStream {
 public:
  virtual ~FileStream() = default;
  /// The next bytes, limits::kFileChunkBytes at most; waits for them. No bytes: the end. Errors:
  /// io, changed, network, cancelled.
  virtual Result<FileChunk> next() = 0;
  /// The file after the bytes that next() gave last were read; or before, if the request expects no
  /// file yet: what it is then, a later state is compared with. Known after the first next().
  [[nodiscard]] virtual FileState state() const = 0;
  /// Any thread; next() returns soon, with ErrorKind::cancelled.
  virtual void cancel() = 0;
};

/// Begins a stream. Thread-safe. Errors: io, permission, usage, changed, limit, network; some of
/// them may come with the first next().
using FileOpener = std::function<Result<std::unique_ptr<FileStream>>(const FileRequest&)>;

/// A file on another machine, as it was when it was opened. Thread-safe.
class RemoteFile {
 public:
  virtual ~RemoteFile() = default;
  [[nodiscard]] virtual const FileIdentity& identity() const = 0;
  /// As it was when its last bytes came.
  [[nodiscard]] virtual FileState last_state() const = 0;
  /// Bytes [begin, end), as FileRequest. What has come before may be given again without asking.
  virtual Result<std::unique_ptr<FileStream>> stream(uint64_t begin, uint64_t end) = 0;
  [[nodiscard]] virtual uint64_t bytes_received() const = 0;
};

}  // namespace grapnel::source
