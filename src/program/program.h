// A query's Op made runnable over bytes in user space. Two makers: the plain interpreter
// (program/interpreter.h, always there) and native code (lower/native). Same answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "source/source.h"
#include "state/partial.h"

namespace grapnel::program {

/// Bytes that a Runner may read (not use) behind the block it is given. Buffers and mappings
/// provide them.
inline constexpr size_t kSlackBytes = 128;

/// What a Runner works on. `data` begins at the start of a record, outside quotes.
struct Block {
  const char* data = nullptr;
  size_t size = 0;
  uint64_t file_offset = 0;  ///< of data[0]
  bool last = false;         ///< data's end is the file's end: it ends the last record
};

struct BlockOutcome {
  size_t consumed = 0;  ///< bytes of whole records, from data[0]; all of them if `last`
  uint64_t records = 0;
  uint64_t escapes = 0;  ///< records that the fast form handed to the exact one
};

/// Runs the op over blocks; one per worker thread.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Adds the whole records of `block` to `partial` (groups or rows). On error `partial` is
  /// undefined and the caller drops it. Errors: data, limit.
  virtual Result<BlockOutcome> run(const Block& block, state::Partial& partial) = 0;
};

/// Immutable and shared between threads.
class Program {
 public:
  virtual ~Program() = default;
  [[nodiscard]] virtual std::unique_ptr<Runner> make_runner() const = 0;
  /// "interpreter", "native avx512", ... for EXPLAIN.
  [[nodiscard]] virtual std::string name() const = 0;
};

/// A query and its table, bound together: what every lowering and hook gets. Shared, immutable.
struct Job {
  std::shared_ptr<const source::Source> source;
  std::shared_ptr<const op::Op> op;
  std::shared_ptr<const state::StateLayout> layout;
  size_t max_groups = 0;

  [[nodiscard]] state::Partial make_partial() const { return {op, layout, max_groups}; }
};

}  // namespace grapnel::program
