// Puts the outcomes of extents together, in file order: joins the records that lie across extents,
// proves by them that every extent began where it thought, has wrong ones redone, and passes on
// what is proven, once.
//
// The proof: if an extent's records are known to start right, so is its tail, and the record that
// begins with the tail ends where the plain cutter (source::next_record) says. The next extent is
// right if and only if that is where it found its first record start.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "program/interpreter.h"
#include "scan/scan.h"
#include "scan/sequencer.h"

namespace grapnel::scan {

class Stitcher {
 public:
  /// Drives an extent again, which begins at a known record start.
  using Redo = std::function<Driven(const hooks::Extent&)>;

  explicit Stitcher(const Plan& plan);

  /// Takes the next extent's outcome. The proven partial of an aggregating query goes to `proven`,
  /// to be merged by the caller; rows go to the sink or are kept. Not thread-safe, but successive
  /// calls may come from different threads. Errors: those of the outcome, of records across
  /// extents, and of the sink.
  Status take(Driven driven, const Redo& redo, std::optional<state::Partial>& proven);

  /// True once as many rows as the query wants are there.
  [[nodiscard]] bool satisfied() const { return satisfied_; }

  /// What was put together here: records across extents, and the rows (without a sink).
  state::Partial& result() { return own_; }

  std::map<std::string, hooks::HookCounters> hook_counters;
  hooks::HookCounters stitched;

 private:
  Status load_fragments(Driven& driven);
  bool joins(const hooks::Extent& extent, const hooks::ExtentResult& result);
  Status redo_extent(const hooks::Extent& extent, const Redo& redo,
                     std::optional<state::Partial>& proven);
  Result<std::optional<uint64_t>> read_to_record_end(const hooks::Extent& extent);
  Status finish_open_record();
  Status run_record(std::string_view record, uint64_t file_offset);
  Status fail_or_satisfy(const hooks::Extent& extent, Error error);
  Status pass_on(Driven driven, std::optional<state::Partial>& proven);
  Status release_rows();

  const Plan& plan_;
  const source::Source& source_;
  program::RecordRunner runner_;
  state::Partial own_;
  /// The record that has begun but not ended before the extent at hand.
  std::string open_record_;
  uint64_t open_offset_ = 0;
  uint64_t rows_delivered_ = 0;
  bool satisfied_ = false;
};

}  // namespace grapnel::scan
