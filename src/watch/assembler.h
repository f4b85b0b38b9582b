// The covering rule: which records may be counted, given the parts of the file that were seen, and
// each of them once.
//
// A record counts if and only if all its bytes, its end, and the byte before it (or the beginning
// of the data) are covered, and its start state (inside or outside quotes) is known. Pieces come in
// any order, overlap and repeat. Covered pieces that touch are one run. A run knows the bytes at
// its two edges that are no whole record yet; where a piece closes the gap between two runs, the
// record across it is done. The state at a piece's beginning is known from the run before it, from
// the run behind it (by the number of quotes between), from the beginning of the data, or by proof
// (quote_proof.h); else the piece is not covered: it is given back, to be offered again when a
// neighbour is there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "program/interpreter.h"
#include "program/program.h"
#include "watch/ranges.h"

namespace grapnel::watch {

/// What memory a query's edges may take.
struct AssemblerLimits {
  size_t fragment_bytes = 16 << 20;  ///< kept at the edges of runs; beyond, edges are given back
  size_t runs = 1 << 17;             ///< beyond, pieces that touch no run are given back
};

/// What became of a piece, beside the parts that are covered now.
struct Taken {
  std::vector<Range> unknown;   ///< it is not known whether these begin inside quotes
  std::vector<Range> released;  ///< no memory was left for these: they are not covered
};

/// Not thread-safe.
class Assembler {
 public:
  using Limits = AssemblerLimits;
  Assembler(std::shared_ptr<const program::Job> job, const program::Program& program,
            Limits limits = {});

  /// Takes file bytes from offset `begin` on; program::kSlackBytes bytes behind them can be read
  /// too. What is covered already is left out. Errors: data, limit; the query is void then.
  Status take(uint64_t begin, std::string_view bytes, Taken& taken);

  /// What was counted, and how: to be looked at, finished in the end.
  [[nodiscard]] const state::Partial& partial() const { return partial_; }
  state::Partial& partial() { return partial_; }

  [[nodiscard]] uint64_t data_bytes() const { return data_end_ - data_begin_; }
  [[nodiscard]] uint64_t covered_bytes() const { return covered_bytes_; }
  /// Bytes of counted records.
  [[nodiscard]] uint64_t counted_bytes() const { return covered_bytes_ - fragment_bytes_; }
  /// Every record of the file is counted.
  [[nodiscard]] bool complete() const { return counted_bytes() == data_bytes(); }

  [[nodiscard]] std::vector<Range> covered() const;
  /// Ranges of whole records, all of which are counted.
  [[nodiscard]] std::vector<Range> counted() const;
  /// What is not covered yet.
  [[nodiscard]] std::vector<Range> missing() const;
  /// Does a run, or the beginning of the data, touch the range? Then its state is known there.
  [[nodiscard]] bool touches_run(Range range) const;
  [[nodiscard]] bool has_run_ending_at(uint64_t place) const;

 private:
  /// Neither edge is a whole record. Without a record start in it, everything is head.
  struct Run {
    uint64_t end = 0;
    bool has_record_start = false;
    std::string head;  ///< up to the first record start
    std::string tail;  ///< from the last record end
    source::QuoteState begin_state = source::QuoteState::outside;
    source::QuoteState end_state = source::QuoteState::outside;
  };
  using Runs = std::map<uint64_t, Run>;  ///< by begin

  [[nodiscard]] bool is_quoted() const;
  Runs::iterator run_ending_at(uint64_t place);
  Status take_new(uint64_t begin, std::string_view bytes, Taken& taken);
  std::optional<source::QuoteState> state_at(uint64_t begin, std::string_view bytes,
                                             Runs::iterator left, Runs::iterator right) const;
  Result<Run> compute(uint64_t begin, std::string_view bytes, source::QuoteState state);
  [[nodiscard]] std::optional<size_t> first_record_start(uint64_t begin, std::string_view bytes,
                                                         source::QuoteState state) const;
  /// Makes `right`, which begins where `left` ends, a part of it.
  Status join(uint64_t left_begin, Run& left, Run&& right);
  Status finish_record(uint64_t begin, std::string& record, bool last);
  Status finish_data_end(Runs::iterator run);
  void shed_edges(Runs::iterator run, Taken& taken);
  static size_t edge_bytes(const Run& run) { return run.head.size() + run.tail.size(); }

  const std::shared_ptr<const program::Job> job_;
  const source::Source& source_;
  const uint64_t data_begin_;
  const uint64_t data_end_;
  const Limits limits_;
  const std::unique_ptr<program::Runner> runner_;
  program::RecordRunner record_runner_;
  state::Partial partial_;
  Runs runs_;
  uint64_t covered_bytes_ = 0;
  uint64_t fragment_bytes_ = 0;  ///< in heads and tails
};

}  // namespace grapnel::watch
