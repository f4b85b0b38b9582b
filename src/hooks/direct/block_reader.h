// Reads blocks of a file around the page cache, several at a time, and hands them over in the order
// in which they were asked for.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/result.h"
#include "hooks/common/rates.h"
#include "hooks/common/user_space.h"
#include "hooks/direct/direct_file.h"

namespace grapnel::hooks {

/// An aligned piece of the file.
struct BlockRequest {
  uint64_t offset = 0;
  uint32_t size = 0;
};

/// A block that has been read: `got` bytes, fewer than asked for at the file's end or where the
/// kernel stopped short; or -errno. kHeadroomBytes before the data are writable, kSlackBytes behind
/// the block readable.
struct BlockAnswer {
  BlockRequest request;
  char* data = nullptr;
  int32_t got = 0;
};

class BlockReader {
 public:
  virtual ~BlockReader() = default;
  /// True if a further block can be asked for.
  [[nodiscard]] virtual bool has_room() const = 0;
  /// True if no block is asked for.
  [[nodiscard]] virtual bool idle() const = 0;
  /// Asks for a block. Precondition: has_room().
  virtual void ask(const BlockRequest& request) = 0;
  /// Starts what was asked for.
  virtual Status start() = 0;
  /// Waits for the oldest block. Valid until release(). Precondition: !idle().
  virtual Result<BlockAnswer> take() = 0;
  /// Gives the memory of the block taken last back.
  virtual void release() = 0;
};

/// Buffers of one block each, with headroom and slack.
class BlockBuffers {
 public:
  static Result<BlockBuffers> allocate(const QueueShape& shape);
  [[nodiscard]] char* data(uint32_t number) const;
  [[nodiscard]] uint32_t count() const { return shape_.depth; }
  [[nodiscard]] uint32_t block_bytes() const { return shape_.block_bytes; }

 private:
  [[nodiscard]] static size_t stride(const QueueShape& shape);
  PageBuffer memory_;
  QueueShape shape_;
};

/// A queue of reads by io_uring, with registered buffers where the locked-memory limit allows.
/// ErrorKind::permission if the kernel or a sandbox refuses io_uring. Requests are at most
/// shape.block_bytes long.
Result<std::unique_ptr<BlockReader>> make_ring_reader(int direct_file, const QueueShape& shape);

/// One pread(2) after the other, for where io_uring is refused.
Result<std::unique_ptr<BlockReader>> make_plain_reader(int direct_file, uint32_t block_bytes);

/// Why io_uring cannot be used in this process; empty if it can. Probed once.
const std::string& ring_refusal();

}  // namespace grapnel::hooks
