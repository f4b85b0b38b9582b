// What has come of a file over the network and was not taken yet: one request for all of it, so
// that the link stays full and its round trip is paid once; workers take their extents out of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/cancel.h"
#include "base/result.h"
#include "source/file_stream.h"

namespace grapnel::hooks::ship {

using OpenStream = std::function<Result<std::unique_ptr<source::FileStream>>()>;

/// Thread-safe. Holds at most about `most_bytes`: then the network waits. That ends well if every
/// byte is taken or given up, and whoever waits for one has left none before it to nobody: as
/// workers do, who claim extents in file order.
class Window {
 public:
  /// `open` begins a stream of the bytes [begin, end) of a file. It is called by the thread that
  /// pulls, which begins with the first take().
  Window(OpenStream open, uint64_t begin, uint64_t end, size_t most_bytes);
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  /// Ends the stream and waits for the thread.
  ~Window();

  [[nodiscard]] uint64_t begin() const { return begin_; }

  /// Bytes from `offset` on, which is not before begin(), up to `end` at most, as many as came in
  /// one piece; waits for them. Each byte can be taken once. No bytes: the stream has ended before.
  /// Errors: those of the stream; cancelled.
  Result<source::FileChunk> take(uint64_t offset, uint64_t end, const CancelToken& cancel);

  /// Nobody will take [begin, end): come or not, it is dropped.
  void give_up(uint64_t begin, uint64_t end);

  /// Bytes held now. For tests.
  [[nodiscard]] uint64_t held_bytes() const;

 private:
  struct Held {
    source::FileChunk chunk;
    uint64_t left = 0;  ///< bytes that somebody will take
  };

  void pull();
  Status pull_all();
  bool wait_for_room();
  void put(source::FileChunk chunk);
  uint64_t take_unwanted(uint64_t begin, uint64_t end);
  void use(std::map<uint64_t, Held>::iterator held, uint64_t bytes);

  const OpenStream open_;
  const uint64_t begin_;
  const uint64_t end_;
  const size_t most_bytes_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Held> held_;          ///< by where the chunk begins
  std::map<uint64_t, uint64_t> unwanted_;  ///< ranges given up before they came: begin, end
  uint64_t held_bytes_ = 0;
  uint64_t position_;              ///< where the next chunk begins
  std::optional<Status> outcome_;  ///< set when nothing more will come
  bool stopped_ = false;
  source::FileStream* stream_ = nullptr;  ///< while it is open
  std::thread thread_;
};

}  // namespace grapnel::hooks::ship
