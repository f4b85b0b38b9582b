#include "watch/standing_query.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "api/error.h"
#include "base/limits.h"
#include "engine/make_program.h"
#include "engine/statistics.h"
#include "sql/bind.h"
#include "sql/parse.h"

namespace grapnel::watch {
namespace {

/// More are not copied several times a second.
constexpr size_t kGroupsShownMeanwhile = 1000;

Error refuse(std::string message, std::string hint) {
  return Error{ErrorKind::refused, std::move(message), std::move(hint)};
}

Status refuse_what_cannot_stand(const sql::ParsedStatement& statement, const op::Query& query) {
  if (statement.kind != sql::StatementKind::query)
    return refuse("EXPLAIN cannot be watched", "watch the SELECT itself");
  if (!query.op.aggregating) {
    return refuse("a watch answers with aggregates; this statement gives rows",
                  "count(*), sum(...), with GROUP BY if you like; grapnel query gives rows");
  }
  return ok_status();
}

/// A path with * or ? in it is a file of that name, or none.
Error explain_glob(Error error, const std::string& path) {
  if (error.kind == ErrorKind::io && path.find_first_of("*?[") != std::string::npos)
    error.hint = "FROM names one file, no pattern: give one statement per file";
  return error;
}

int64_t nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Error changed(const source::Source& source, const std::string& how, std::string hint) {
  return Error{ErrorKind::changed, source.path + " " + how + " while it was watched",
               std::move(hint)};
}

}  // namespace

StandingQuery::StandingQuery(std::string_view sql, op::Query query,
                             std::shared_ptr<const program::Job> job,
                             const program::Program& program, const AssemblerLimits& limits)
    : sql_(sql),
      query_(std::move(query)),
      job_(std::move(job)),
      program_name_(engine::short_name(program)),
      assembler_(job_, program, limits),
      file_watch_(std::in_place, *job_->source) {}

Result<std::unique_ptr<StandingQuery>> StandingQuery::prepare(std::string_view sql,
                                                              const AssemblerLimits& limits) {
  GRAPNEL_TRY(const auto statement, sql::parse(sql));
  auto source = source::open_source(statement.table, {});
  if (!source.ok()) return explain_glob(std::move(source).error(), statement.table.path);
  GRAPNEL_TRY(auto query, sql::bind(statement, (*source)->layout.columns));
  GRAPNEL_CHECK(refuse_what_cannot_stand(statement, query));
  auto job = std::make_shared<program::Job>();
  job->source = *std::move(source);
  job->op = std::make_shared<const op::Op>(query.op);
  job->layout = std::make_shared<const state::StateLayout>(state::StateLayout::of(*job->op));
  job->max_groups = limits::kGroupsDefault;
  GRAPNEL_TRY(const auto made, engine::make_program(job));
  return std::unique_ptr<StandingQuery>(
      new StandingQuery(sql, std::move(query), std::move(job), *made.program, limits));
}

void StandingQuery::fail(Error error) {
  if (!failure_) failure_ = std::move(error);
}

void StandingQuery::take(uint64_t begin, std::string_view bytes, Taken& taken) {
  if (failure_) return;
  Status status = assembler_.take(begin, bytes, taken);
  if (!status.ok()) fail(std::move(status).error());
}

bool StandingQuery::has_news() {
  const uint64_t covered = assembler_.covered_bytes();
  const uint64_t unknown = unknown_.length();
  const bool news = covered != known_covered_bytes_ || unknown != known_unknown_bytes_;
  known_covered_bytes_ = covered;
  known_unknown_bytes_ = unknown;
  return news;
}

Status StandingQuery::path_check() const {
  const source::Source& source = *job_->source;
  struct stat named{};
  if (::stat(source.path.c_str(), &named) != 0) {
    if (errno != ENOENT) return Error::system("cannot look at " + source.path, errno);
    return changed(source, "was removed or renamed", "--follow inode stays with the file itself");
  }
  if (named.st_dev == source.identity.device && named.st_ino == source.identity.inode)
    return ok_status();
  return changed(source, "was replaced by another file",
                 "watch again for the new one, or stay with the old one by --follow inode");
}

// While we hold the lease nobody has had the file open for writing, whatever became of its name.
bool StandingQuery::is_safe_by_lease() const {
  if (file_watch_->stability() != source::Stability::leased) return false;
  const source::Source& source = *job_->source;
  struct stat now{};
  return fstat(source.file.get(), &now) == 0 &&
         static_cast<uint64_t>(now.st_size) == source.identity.size &&
         nanoseconds(now.st_mtim) == source.identity.mtime_ns;
}

void StandingQuery::check_file(api::Follow follow) {
  if (failure_) return;
  file_watch_->poll();
  if (follow == api::Follow::path) {
    Status named = path_check();
    if (!named.ok()) return fail(std::move(named).error());
  }
  if (is_safe_by_lease()) return;
  std::vector<std::string> none;
  Status same = file_watch_->check(true, none);
  if (!same.ok()) fail(std::move(same).error());
}

void StandingQuery::leave_file(api::Follow follow) {
  check_file(follow);
  last_stability_ = to_string(file_watch_->stability());
  file_watch_.reset();
}

Result<state::Partial> StandingQuery::copy_of_partial() const {
  const state::Partial& from = assembler_.partial();
  if (from.groups.size() > kGroupsShownMeanwhile) {
    return Error{ErrorKind::limit,
                 std::to_string(from.groups.size()) + " groups are too many to be shown meanwhile",
                 "they are all there at the end"};
  }
  state::Partial copy = job_->make_partial();
  copy.records = from.records;
  const state::StateLayout& layout = from.layout();
  for (size_t group = 0; group < from.groups.size(); group++) {
    uint64_t* to = copy.groups.find_or_insert(from.groups.key(group));
    if (to == nullptr) return copy.groups.limit_error();
    std::memcpy(to, from.groups.slots(group), layout.slot_count * sizeof(uint64_t));
    for (const state::AggregateSlots& kept : layout.aggregates) {
      if (kept.kind != state::SlotKind::extreme_text) continue;
      uint64_t& number = to[kept.first_slot];
      number = copy.groups.add_string(from.groups.string(number));
    }
  }
  return copy;
}

Result<finish::FinishedTable> StandingQuery::answer() const {
  if (failure_) return *failure_;
  GRAPNEL_TRY(auto copy, copy_of_partial());
  return finish::finish(query_, std::move(copy));
}

Result<finish::FinishedTable> StandingQuery::last_answer() {
  if (failure_) return *failure_;
  final_records_ = assembler_.partial().records;
  state::Partial all = job_->make_partial();
  std::swap(all, assembler_.partial());
  return finish::finish(query_, std::move(all));
}

void StandingQuery::describe(api::WatchedStatement& statement) const {
  statement.sql = sql_;
  statement.path = job_->source->path;
  statement.table = source::table_expression(*job_->source);
  statement.program = program_name_;
  statement.stability =
      file_watch_ ? std::string(to_string(file_watch_->stability())) : last_stability_;
  statement.data_bytes = assembler_.data_bytes();
  statement.covered_bytes = assembler_.covered_bytes();
  statement.counted_bytes = assembler_.counted_bytes();
  statement.records = std::max(final_records_, assembler_.partial().records);
  statement.unknown_bytes = unknown_.length();
  statement.completed_bytes = completed_bytes;
  statement.complete = assembler_.complete() && !failure_;
  if (failure_) statement.error = api::to_public(*failure_);
}

}  // namespace grapnel::watch
