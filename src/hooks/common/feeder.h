// Turns the bytes of one extent, delivered block by block in file order, into an ExtentResult:
// finds the first record start, runs the user-space program on whole records, carries records over
// block borders, keeps the fragments. Shared by the hooks in user space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hooks/hook.h"
#include "program/program.h"

namespace grapnel::hooks {

/// Writable bytes that a block buffer should have before its data: a record begun in the block
/// before is put there, so that it lies in one piece with its end. Longer ones cost a copy of the
/// block.
inline constexpr size_t kHeadroomBytes = 4096;

/// Block size of the hooks in user space: fits the second-level cache together with what the op
/// needs.
inline constexpr size_t kBlockBytes = 256 << 10;

/// How the memory of a block may be used.
struct Placement {
  size_t headroom = 0;  ///< writable bytes before the data
  bool stays = false;  ///< data stays valid until finish(), and the next block follows it in memory
};

/// One per worker; used by its thread only.
class ExtentFeeder {
 public:
  ExtentFeeder(std::shared_ptr<const program::Job> job,
               const std::shared_ptr<const program::Program>& program);

  /// Starts an extent; what the last one left behind is dropped.
  void begin(const Extent& extent);

  /// Takes the next `size` bytes of the extent. program::kSlackBytes behind them must be readable.
  /// Errors: data and limit of the program; limit for a record above limits::kRecordBytes.
  Status feed(char* data, size_t size, Placement placement);

  /// File offset of the next byte to be fed.
  [[nodiscard]] uint64_t position() const { return position_; }

  /// Result of the extent. Precondition: all its bytes were fed. Counters hold bytes, records,
  /// escapes; the hook adds the rest.
  ExtentResult finish();

 private:
  /// Looks for the first record start; returns how many bytes belong to the head.
  size_t take_head(const char* data, size_t size);
  size_t skip_to_fixed_record(size_t size);
  Status run_records(const char* data, size_t size, uint64_t file_offset, size_t* consumed);
  Status feed_through_carry(const char* data, size_t size);
  void keep(const char* data, size_t size, bool stays);

  std::shared_ptr<const program::Job> job_;
  std::unique_ptr<program::Runner> runner_;

  Extent extent_;
  std::optional<ExtentResult> result_;
  uint64_t position_ = 0;
  bool in_records_ = false;
  source::QuoteState state_ = source::QuoteState::outside;  ///< while looking for a record start

  /// The record that has begun but not ended: in `carry_` (kSlackBytes longer than its content),
  /// or, if the blocks stay where they are, in the last block.
  std::vector<char> carry_;
  const char* rest_ = nullptr;
  size_t rest_size_ = 0;
};

}  // namespace grapnel::hooks
