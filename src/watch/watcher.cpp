#include "watch/watcher.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <thread>
#include <utility>

#include "hooks/common/thread_clock.h"

namespace grapnel::watch {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kLeaseLook_ns = 10 * kMillisecond;
constexpr uint64_t kFileLook_ns = 100 * kMillisecond;
constexpr uint64_t kUnknownLook_ns = 50 * kMillisecond;
constexpr uint64_t kTick_ns = 200 * kMillisecond;
constexpr uint64_t kSlowdownLook_ns = 250 * kMillisecond;
/// While something happens the worker looks by itself, often: a bell costs a reader more than an
/// event does. After this much quiet it waits for the bell.
constexpr uint64_t kQuiet_ns = 20 * kMillisecond;
constexpr auto kShortRest = std::chrono::microseconds(200);
constexpr int kLongRest_ms = 10;  ///< leases must be looked at
constexpr uint64_t kPageBytes = 1 << GR_WATCH_PAGE_BITS;
/// What a part of the memory budget is for.
constexpr uint64_t kMarksShare = 2, kFragmentsShare = 4;
constexpr uint64_t kRunBytes = 256;  ///< of one run, without its edges

bool is_due(uint64_t now, uint64_t& next, uint64_t interval) {
  if (now < next) return false;
  next = now + interval;
  return true;
}

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::open(const std::vector<std::string>& statements,
                                               const api::WatchOptions& options) {
  if (statements.empty())
    return Error{ErrorKind::usage, "there is no statement to watch", "give at least one SELECT"};
  std::unique_ptr<Watcher> watcher(new Watcher(options));
  const uint64_t share = options.memory_bytes / statements.size();
  AssemblerLimits limits;
  limits.fragment_bytes = share / kFragmentsShare;
  limits.runs = share / kFragmentsShare / kRunBytes;
  for (const std::string& sql : statements) {
    GRAPNEL_TRY(auto query, StandingQuery::prepare(sql, limits));
    watcher->queries_.push_back(std::move(query));
  }
  watcher->answers_.resize(statements.size());
  GRAPNEL_TRY(watcher->reader_names_, ReaderNames::open(options.readers_by));
  GRAPNEL_CHECK(watcher->open_files());
  watcher->begin_ns_ = steady_nanoseconds();
  watcher->measured_ns_ = watcher->begin_ns_;
  return watcher;
}

Status Watcher::open_files() {
  std::vector<WatchedFile> files;
  files.reserve(queries_.size());
  for (const auto& query : queries_)
    files.push_back({query->source().file.get(), query->source().data_end});
  BoardOptions options;
  options.memory_bytes = options_.memory_bytes / kMarksShare;
  options.attribute = options_.readers_by != api::ReadersBy::none;
  GRAPNEL_TRY(board_, Board::open(files, options));
  std::map<uint32_t, std::vector<StandingQuery*>> by_file;
  for (size_t i = 0; i < queries_.size(); i++)
    by_file[board_->number(i)].push_back(queries_[i].get());
  scans_.resize(queries_.size());
  for (auto& [number, queries] : by_file) {
    GRAPNEL_TRY(scans_[number], FileScan::open(std::move(queries), [this] { attend(); }));
  }
  return board_->attach();
}

bool Watcher::take_marks() {
  bool any = false;
  for (uint32_t file = 0; file < scans_.size(); file++)
    if (scans_[file]) any = board_->take_fresh(file) || any;
  if (!any) return false;
  for (uint32_t number = 0; number < board_->used_slots(); number++) {
    gr_watch_slot* slot = board_->take_fresh_slot(number);
    if (slot == nullptr || slot->file >= scans_.size() || !scans_[slot->file]) continue;
    scans_[slot->file]->take(*slot);
  }
  return true;
}

bool Watcher::work() {
  bool worked = take_marks();
  const uint64_t now = steady_nanoseconds();
  const bool look_at_unknown = is_due(now, next_unknown_ns_, kUnknownLook_ns);
  for (const auto& scan : scans_) {
    if (!scan) continue;
    worked = scan->look_again() || worked;
    if (look_at_unknown) scan->offer_unknown();
  }
  return worked;
}

uint64_t Watcher::next_look_ns() const {
  uint64_t next = kNever;
  for (const auto& scan : scans_)
    if (scan) next = std::min(next, scan->next_look_ns());
  return next;
}

void Watcher::rest(bool worked) {
  const uint64_t now = steady_nanoseconds();
  if (worked) last_work_ns_ = now;
  const bool quiet = now - last_work_ns_ > kQuiet_ns && next_look_ns() > now + kQuiet_ns;
  if (quiet) {
    board_->wait(kLongRest_ms);
  } else {
    std::this_thread::sleep_for(kShortRest);
  }
}

void Watcher::attend() {
  look_after_files();
  keep_slowdown();
  if (is_stopped()) board_->detach();
  if (on_tick_ && is_due(steady_nanoseconds(), next_tick_ns_, kTick_ns)) on_tick_();
}

void Watcher::look_after_files() {
  const uint64_t now = steady_nanoseconds();
  if (is_due(now, next_lease_look_ns_, kLeaseLook_ns))
    for (const auto& query : queries_) query->let_writers_in();
  if (is_due(now, next_file_look_ns_, kFileLook_ns))
    for (const auto& query : queries_) query->check_file(options_.follow);
}

// What the programs take of the busiest CPU. Where that is more than is permitted, so many events
// are left out that the rest is not.
void Watcher::keep_slowdown() {
  const uint64_t now = steady_nanoseconds();
  if (now - measured_ns_ < kSlowdownLook_ns) return;
  slowdown_ =
      busiest_.take_seconds(board_->cpus()) / (static_cast<double>(now - measured_ns_) * 1e-9);
  measured_ns_ = now;
  if (options_.max_slowdown <= 0) return;
  const double with_all = slowdown_ / (1 - left_out_ / 256.0);
  const double keep = with_all <= 0 ? 1 : std::min(1.0, options_.max_slowdown / with_all);
  left_out_ = std::min<uint32_t>(255, static_cast<uint32_t>(std::ceil((1 - keep) * 256)));
  board_->leave_out(left_out_);
}

bool Watcher::is_stopped() const {
  if (cancelled_->load(std::memory_order_relaxed)) return true;
  return options_.seconds > 0 &&
         static_cast<double>(steady_nanoseconds() - begin_ns_) * 1e-9 >= options_.seconds;
}

bool Watcher::is_over() const {
  if (is_stopped()) return true;
  bool all_failed = true;
  bool all_done = true;
  for (const auto& query : queries_) {
    all_failed = all_failed && query->failure();
    all_done = all_done && (query->failure() || query->assembler().complete());
  }
  return all_failed || (options_.until_covered && all_done);
}

Status Watcher::run(const std::atomic<bool>& cancelled, const std::function<void()>& on_tick) {
  cancelled_ = &cancelled;
  on_tick_ = on_tick;
  cpu_begin_ = hooks::thread_cpu_seconds();
  while (!is_over()) {
    const bool worked = work();
    attend();
    rest(worked);
  }
  finish();
  return ok_status();
}

void Watcher::finish() {
  board_->detach();
  // What was marked until now; the last pages may still be on their way. No marks come any more,
  // and a page that stays away counts as gone after a quarter of a second: so this ends.
  do {
    while (work() || next_look_ns() != kNever) {
      attend();
      std::this_thread::sleep_for(kShortRest);
    }
    for (const auto& scan : scans_)
      if (scan) scan->offer_unknown();
  } while (next_look_ns() != kNever);
  if (options_.complete) {
    // ctrl-C asked for the end of the watch, which this is a part of: a second one ends the
    // process.
    for (size_t i = 0; i < queries_.size(); i++) scans_[board_->number(i)]->complete(*queries_[i]);
  }
  for (const auto& query : queries_) query->leave_file(options_.follow);
  cpu_end_ = hooks::thread_cpu_seconds();
  end_ns_ = steady_nanoseconds();
}

Result<std::shared_ptr<const finish::FinishedTable>> Watcher::answer(size_t statement) {
  if (answers_[statement]) return answers_[statement];
  StandingQuery& query = *queries_[statement];
  if (end_ns_ == 0) {
    GRAPNEL_TRY(auto now, query.answer());
    return std::make_shared<const finish::FinishedTable>(std::move(now));
  }
  GRAPNEL_TRY(auto last, query.last_answer());
  answers_[statement] = std::make_shared<const finish::FinishedTable>(std::move(last));
  return answers_[statement];
}

api::WatchState Watcher::state() const {
  api::WatchState state;
  const uint64_t now = end_ns_ != 0 ? end_ns_ : steady_nanoseconds();
  state.seconds = static_cast<double>(now - begin_ns_) * 1e-9;
  state.ended = end_ns_ != 0;
  for (size_t i = 0; i < queries_.size(); i++) {
    api::WatchedStatement& statement = state.statements.emplace_back();
    queries_[i]->describe(statement);
    const uint32_t file = board_->number(i);
    const FileCounts counts = board_->counts(file);
    statement.asked_bytes = counts.asked_bytes;
    statement.direct_bytes = counts.direct_bytes;
    statement.audited_bytes = counts.audited_pages * kPageBytes;
    statement.gone_bytes = scans_[file]->gone_pages() * kPageBytes;
  }
  for (const TriedPlace& tried : board_->places()) {
    state.places.push_back({std::string(tried.place->where), std::string(tried.place->sees),
                            tried.refusal, std::string(tried.place->without)});
  }
  const Cost cost = Cost::of(board_->cpus());
  state.events = cost.events;
  state.events_cpu_seconds = cost.seconds;
  state.longest_event_seconds = cost.longest_seconds;
  state.slowdown = slowdown_;
  state.left_out = left_out_ / 256.0;
  state.worker_cpu_seconds = (end_ns_ != 0 ? cpu_end_ : hooks::thread_cpu_seconds()) - cpu_begin_;
  for (const auto& scan : scans_)
    if (scan) state.device_bytes += scan->device_bytes();
  state.lost_pages = board_->lost_pages();
  state.lost_readers = board_->lost_readers();
  state.lost_events = board_->lost_events();
  return state;
}

std::vector<api::WatchReader> Watcher::readers(size_t statement) {
  if (options_.readers_by == api::ReadersBy::none) return {};
  return reader_names_->summed(board_->readers(board_->number(statement)));
}

}  // namespace grapnel::watch
