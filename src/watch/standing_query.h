// One statement of a watch: bound once, then fed with bytes as they become known.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "finish/finish.h"
#include "grapnel/watch.h"
#include "op/query.h"
#include "scan/file_watch.h"
#include "watch/assembler.h"
#include "watch/ranges.h"

namespace grapnel::watch {

/// Used by one thread.
class StandingQuery {
 public:
  /// Reads a sample of the file at most. Errors: refused (no SELECT of aggregates), io, permission,
  /// usage, data.
  static Result<std::unique_ptr<StandingQuery>> prepare(std::string_view sql,
                                                        const AssemblerLimits& limits);

  [[nodiscard]] const source::Source& source() const { return *job_->source; }
  [[nodiscard]] const Assembler& assembler() const { return assembler_; }

  /// Bytes of the file, with slack behind them (Assembler::take). An error is kept: see failure().
  void take(uint64_t begin, std::string_view bytes, Taken& taken);
  /// Where it is not known whether bytes begin inside quotes: to be offered again.
  RangeSet& unknown() { return unknown_; }
  /// Is more covered, or more unknown, than at the last call? Else offering again is of no use.
  bool has_news();
  [[nodiscard]] const RangeSet& unknown() const { return unknown_; }

  /// What ended it; there is no answer then.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  void fail(Error error);

  /// Gives way to writers that wait for the file. To be called some 100 times a second.
  void let_writers_in() { file_watch_->poll(); }
  /// Is the file what it was? Else it fails.
  void check_file(api::Follow follow);
  /// The same for the last time: from here on the file is everybody's.
  void leave_file(api::Follow follow);

  /// The answer over what was counted so far. Errors: data (a sum out of its type's range), limit
  /// (too many groups to be copied now and then).
  [[nodiscard]] Result<finish::FinishedTable> answer() const;
  /// The answer in the end; once.
  Result<finish::FinishedTable> last_answer();

  /// Fills what a statement knows of itself.
  void describe(api::WatchedStatement& statement) const;
  uint64_t completed_bytes = 0;  ///< read on purpose

 private:
  StandingQuery(std::string_view sql, op::Query query, std::shared_ptr<const program::Job> job,
                const program::Program& program, const AssemblerLimits& limits);
  [[nodiscard]] Status path_check() const;
  [[nodiscard]] bool is_safe_by_lease() const;
  [[nodiscard]] Result<state::Partial> copy_of_partial() const;

  const std::string sql_;
  const op::Query query_;
  const std::shared_ptr<const program::Job> job_;
  const std::string program_name_;
  Assembler assembler_;
  std::optional<scan::FileWatch> file_watch_;  ///< until leave_file()
  std::string last_stability_;
  RangeSet unknown_;
  uint64_t known_covered_bytes_ = 0;  ///< at the last has_news()
  uint64_t known_unknown_bytes_ = 0;
  std::optional<Error> failure_;
  uint64_t final_records_ = 0;  ///< once the last answer has taken the state
};

}  // namespace grapnel::watch
