// The one interface of every place where grapnel can run an op: plain user-space readers and hooks
// in the kernel's I/O stack.
//
// Commit rule: the contribution of an extent stays in its own ExtentResult until the extent is
// proven good; the scan merges it then, once. A failed extent leaves no trace and is done by
// another hook.
//
// Escapes: records that a hook's program cannot do (quotes, number too wide, record too long, group
// table full) are done exactly by program::RecordRunner, inside the session, and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "program/program.h"

namespace grapnel::hooks {

/// What is known about how much of an extent is in the page cache.
enum class Residency : uint8_t { unknown, cached, uncached, mixed };
std::string_view to_string(Residency residency);

/// Bytes [begin, end) of the file. Every byte of [data_begin, data_end) is in exactly one extent.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint32_t number = 0;  ///< position in file order
  bool first = false;   ///< a record is known to start at `begin`: no head fragment
  bool last = false;    ///< ends at data_end, which ends the last record too
  /// Quote state at `begin`, if known for sure; else the session guesses. The scan checks every
  /// guess by the records that it joins, and redoes an extent whose guess was wrong from the first
  /// record start that it then knows (`first`).
  std::optional<source::QuoteState> start_state;
  bool again = false;  ///< redone: its bytes have been read for this query before, by some session
  /// What the chooser saw. A hint: reading what is cached must not start readahead of what is not
  /// and may go another way.
  Residency residency = Residency::unknown;
};

/// What a hook did for one extent, or for a whole scan (summed).
struct HookCounters {
  uint64_t bytes = 0;  ///< bytes of the extents whose records this hook computed
  uint64_t records = 0;
  uint64_t escapes = 0;  ///< records done by the exact form
  uint64_t escape_bytes = 0;
  uint64_t failed_extents = 0;
  uint64_t bytes_copied = 0;  ///< file bytes that crossed into user space
  uint64_t device_bytes = 0;  ///< asked from the device, as far as known
  double cpu_seconds = 0;
  /// Bytes of its extents that its program did not get to see, and the user-space program did.
  uint64_t rest_bytes = 0;
  // Of hooks in the kernel only:
  double load_seconds = 0;             ///< compiling or fetching, loading, attaching the programs
  double longest_run_seconds = 0;      ///< of the program in one go, as the kernel saw it
  uint32_t verified_instructions = 0;  ///< that the verifier looked at, of the largest program
  void add(const HookCounters& other);
};

/// What one extent gave. Cut at record ends: bytes up to the first record start (`head`) belong to
/// a record that began earlier, bytes after the last record end (`tail`) to one that ends later.
/// The scan joins tail(i) + head(i+1) and does that record itself. If no record starts in the
/// extent, everything is head and `has_record_start` is false.
struct ExtentResult {
  state::Partial partial;
  std::string head;
  std::string tail;
  bool has_record_start = false;
  source::QuoteState start_state = source::QuoteState::outside;  ///< assumed at Extent::begin
  source::QuoteState end_state = source::QuoteState::outside;    ///< follows, at Extent::end
  HookCounters counters;
};

/// One per worker thread and scan; made and used by that thread only.
class Session {
 public:
  virtual ~Session() = default;
  /// Causes the I/O of `extent` and computes it. Looks at the token between blocks. Errors: hook
  /// ("cannot do this extent": another hook takes it over), data and limit (the query fails),
  /// cancelled, changed (file shorter than it was), io.
  virtual Result<ExtentResult> drive(const Extent& extent, const CancelToken& cancel) = 0;

  /// True if announce() makes this session faster: it has I/O of its own in flight.
  [[nodiscard]] virtual bool wants_announcement() const { return false; }
  /// `next` will most likely be driven after the extent that is driven next; its I/O may begin
  /// then.
  virtual void announce(const Extent& next) { (void)next; }
};

/// Yes, or the reason in words that a user understands, and the cure if there is one.
struct Verdict {
  bool yes = true;
  std::string reason;
  std::string cure;
  static Verdict allow() { return {}; }
  static Verdict refuse(std::string reason, std::string cure = {}) {
    return {false, std::move(reason), std::move(cure)};
  }
};

/// What sort of place in the kernel a hook's program sits at.
enum class PlaceKind : uint8_t { none, helper, tracepoint, function };
std::string_view to_string(PlaceKind kind);

/// What a hook stands on, the steadiest first: what may change under it with a new kernel.
enum class Foundation : uint8_t {
  system_calls,       ///< nothing but system calls, which are kept for good
  tracepoint_values,  ///< a tracepoint and the values that it hands over
  program_type,       ///< a BPF program type, and members of kernel structures, found by BTF
  tracepoint,         ///< a tracepoint, and members of kernel structures, found by BTF
  function,           ///< a function of the kernel that nobody has promised to keep
};
std::string_view to_string(Foundation foundation);

/// Estimated price of one extent (hooks/common/rates.h: defaults until measured). Of hooks in user
/// space it covers getting at the bytes; the chooser adds the user-space program, which is the same
/// for all of them. Of hooks in the kernel it covers the op too.
struct Cost {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  uint64_t device_bytes = 0;
  uint64_t bytes_copied = 0;
  uint64_t link_bytes = 0;  ///< that come from another machine
};

/// What is known about a hook before it runs. Texts are short and static; the page beside the hook
/// has the whole story.
struct HookFacts {
  std::string_view
      uses{};  ///< by what it gets at the bytes: "pread()", "splice() and BPF_PROG_RUN"
  PlaceKind kind = PlaceKind::none;
  std::string_view since{};  ///< first release that has all it needs: "5.17"
  Foundation foundation = Foundation::system_calls;
  bool exact = true;   ///< false: may miss some bytes, which others do then
  bool pinned = true;  ///< false: bytes may change hands meanwhile; looked at again afterwards
  std::string_view context{};  ///< whose time the op takes: "task, in a system call of its own"
  std::string_view knows_file_by{};
  std::string_view knows_process_by{};
  bool sees_cached = true;
  bool sees_uncached = true;
  bool fills_cache = true;     ///< what it reads from the device stays in the page cache
  bool in_interrupts = false;  ///< its CPU time is nobody's, and no thread of ours can hold it back
  double copied_share = 0;     ///< bytes that cross into user space, per byte of the file
  bool taxes_others = false;   ///< while it runs, others pay:
  std::string_view tax{};      ///< for which of their work; `doctor --tax` measures how much
};

class Hook {
 public:
  virtual ~Hook() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;         ///< "read", "pipe", ...
  [[nodiscard]] virtual std::string_view description() const = 0;  ///< one line for doctor
  [[nodiscard]] virtual bool in_kernel() const = 0;
  /// Of the place in use, where there are several: after permitted(). Thread-safe.
  [[nodiscard]] virtual HookFacts facts() const { return {}; }
  /// Where in the kernel its program sits, and what that is worth: "raw_tp/mm_filemap_get_pages
  /// (lossy, unpinned)". Empty if it has none, or none was found yet: after permitted().
  [[nodiscard]] virtual std::string attach_point() const { return {}; }
  /// May it run here at all? By probing (cached after the first call), never by kernel version.
  /// Thread-safe.
  virtual Verdict permitted() = 0;
  /// May the chooser take it when the user has not named it?
  [[nodiscard]] virtual Verdict by_default() const { return Verdict::allow(); }
  /// Can it do this query on this file? Cheap; no I/O beyond statx.
  virtual Verdict eligible(const program::Job& job) = 0;
  [[nodiscard]] virtual Cost cost(const Extent& extent, Residency residency,
                                  const program::Job& job) const = 0;
  /// What a scan through this hook costs once, whatever its size: probing, loading, opening
  /// (hooks/common/rates.h).
  [[nodiscard]] double setup_seconds() const;
  /// Makes what a worker needs. `program` is the user-space program of the job (kernel hooks use
  /// their own lowering and take this one only for what cannot run in the kernel).
  virtual Result<std::unique_ptr<Session>> open(
      std::shared_ptr<const program::Job> job, std::shared_ptr<const program::Program> program) = 0;
};

/// For a run of extents: which hook first, which ones if it cannot.
struct HookChoice {
  Hook* first = nullptr;
  std::vector<Hook*> fallbacks;              ///< tried in order; empty: strict, the scan fails
  Residency residency = Residency::unknown;  ///< of the extent, if it was looked at
};

/// All hooks of this build for files of this machine, best known first. Owned by the process; never
/// empty ("read" is there).
const std::vector<Hook*>& all_hooks();
/// The hooks that a file's place leaves: all_hooks(), or `ship` alone for a file of another
/// machine. The first one can do every query.
const std::vector<Hook*>& hooks_for(const source::Source& source);
/// Any hook, `ship` too; null if there is none of this name.
Hook* find_hook(std::string_view name);

}  // namespace grapnel::hooks
