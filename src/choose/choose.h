// Decides which hook does which extent, and in which order the filter's conjuncts are tried. Says
// why, for EXPLAIN. Never waits for a calibration: costs have defaults until measured.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "choose/limits.h"
#include "hooks/common/extent_time.h"
#include "hooks/hook.h"
#include "op/query.h"
#include "program/program.h"

namespace grapnel::choose {

/// What the user said about hooks: nothing, `--hook X` or `--hook X,any`.
struct HookRequest {
  std::string name;            ///< empty: the chooser picks
  bool others_allowed = true;  ///< false: X does it or the query fails
  /// Ask every hook whether it can, for EXPLAIN. Else only those that could be chosen are asked:
  /// the answers of hooks in the kernel take longer than a small query.
  bool ask_all = true;
  UserLimits limits;
};

/// Text behind --hook ("", "any", "read", "pipe,any"). ErrorKind::usage names the hooks there are.
Result<HookRequest> parse_hook_request(std::string_view text);

/// One conjunct of the filter, as measured on the sample.
struct ConjunctEstimate {
  op::ExprPtr conjunct;
  double selectivity = 1;  ///< share of sampled records that pass it
  double cost = 1;         ///< of one evaluation, in units of one integer comparison
};

struct FilterEstimate {
  std::vector<ConjunctEstimate> conjuncts;  ///< in the order to be tried
  double selectivity = 1;                   ///< of the whole filter
  uint64_t sampled_records = 0;             ///< 0: nothing measured, order by cost alone
};

/// Measures the filter of `op` on a few hundred records: from the file's beginning and, in larger
/// files, from some later places that are in the page cache. Takes well under a millisecond; never
/// fails: what cannot be read or converted is left out.
FilterEstimate estimate_filter(const source::Source& source, const op::Op& op);

/// `op` with its filter in the order of `estimate`. The answer is the same (op/expr.h).
op::Op reorder_filter(const op::Op& op, const FilterEstimate& estimate);

/// How much of the file is in the page cache, by sampling large files.
struct CacheState {
  hooks::Residency residency = hooks::Residency::unknown;
  double cached_share = 0;  ///< of the bytes looked at; meaningless if unknown
  std::string how;          ///< "cachestat", or why it is unknown
};

/// One line of the decision table.
struct Candidate {
  std::string hook;
  bool asked = false;      ///< false: could not win anyway, so the next two are not known
  bool ruled_out = false;  ///< by the user's limits: then it is not asked
  bool permitted = false;
  bool eligible = false;
  bool chosen = false;       ///< first choice for some of the file
  hooks::Cost cost;          ///< predicted for the whole file as it is cached now
  hooks::Cost if_cached;     ///< predicted if all of it were cached
  hooks::Cost if_uncached;   ///< predicted if nothing were
  double file_share = 0;     ///< predicted share of the file for which it is the first choice
  std::string reason;        ///< why it was chosen, why not, or why it cannot
  std::string cure;          ///< what would permit it, if anything
  std::string attach_point;  ///< hooks::Hook::attach_point()
};

struct Decision {
  std::vector<Candidate> candidates;  ///< in the order of hooks_for() the file
  CacheState cache;
  std::string reason;  ///< one line: which hook and why
  hooks::Cost cost;    ///< predicted for the scan by the hooks chosen, as the file is cached now
  double setup_seconds = 0;  ///< in it
  /// For scan::Plan::choose. Thread-safe; keeps alive what it needs.
  std::function<hooks::HookChoice(const hooks::Extent&)> choose;
  /// For scan::Plan::observe: a choice that turns out to be dearer than expected is made anew.
  /// Empty if there is nothing to choose. Thread-safe.
  std::function<void(const hooks::ExtentTime&)> observe;
  /// What was corrected that way so far, for people. Empty, as above, or gives "" if nothing was.
  std::function<std::string()> corrections;
};

/// Errors: hook (a hook was forced that is not permitted or not eligible, or the limits leave none;
/// says why and the cure).
/// `program` is the user-space program of the job; its name tells the chooser how fast it is.
/// `selectivity` from estimate_filter; 1 if nothing is known.
Result<Decision> decide(std::shared_ptr<const program::Job> job,
                        const std::shared_ptr<const program::Program>& program,
                        const HookRequest& request, unsigned threads, double selectivity);

/// "the cheapest that can" of a decision, as one name: of the file's larger part.
std::string pick_of(const Decision& decision);

/// The decision table as text, for EXPLAIN (no trailing newline).
std::string to_text(const Decision& decision);

}  // namespace grapnel::choose
