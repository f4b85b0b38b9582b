#include "engine/prepare.h"

#include <sched.h>

#include <algorithm>
#include <cctype>

#include "base/limits.h"
#include "engine/make_program.h"
#include "engine/place.h"
#include "engine/stopwatch.h"
#include "sql/bind.h"

namespace grapnel::engine {
namespace {

/// The rest of `sql` behind `word`, if it begins with that word; any case, spaces before it.
std::optional<std::string_view> after_word(std::string_view sql, std::string_view word) {
  sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n\f\v"), sql.size()));
  if (sql.size() <= word.size()) return std::nullopt;
  const bool same = std::equal(word.begin(), word.end(), sql.begin(), [](char a, char b) {
    return a == std::toupper(static_cast<unsigned char>(b));
  });
  const auto next = static_cast<unsigned char>(sql[word.size()]);
  if (!same || std::isalnum(next) != 0 || next == '_') return std::nullopt;
  return sql.substr(word.size());
}

}  // namespace

unsigned usable_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  const auto count = static_cast<unsigned>(CPU_COUNT(&cpus));
  return std::clamp(count, 1U, limits::kThreads);
}

Result<std::optional<std::shared_ptr<const source::Source>>> open_described(
    std::string_view sql, const source::OpenOptions& where) {
  const auto table = after_word(sql, "DESCRIBE");
  if (!table) return std::optional<std::shared_ptr<const source::Source>>{};
  constexpr std::string_view kSelect = "SELECT * FROM ";
  auto parsed = sql::parse(std::string(kSelect) + std::string(*table));
  if (!parsed.ok()) {
    // Places count from the beginning of the text that the user wrote.
    Error error = std::move(parsed).error();
    const size_t shift = sql.size() - table->size();
    if (error.sql_offset && *error.sql_offset + shift >= kSelect.size()) {
      error.sql_offset = static_cast<uint32_t>(*error.sql_offset + shift - kSelect.size());
    }
    return error;
  }
  GRAPNEL_TRY(auto source, source::open_source(parsed->table, where));
  return std::optional(std::move(source));
}

namespace {

choose::UserLimits limits_of(const wire::ExecuteOptions& options) {
  choose::UserLimits limits{options.no_kernel, options.polite, options.max_cpus};
  if (options.max_cpu_share > 0) {
    const double cpus = options.max_cpu_share * usable_cpus();
    limits.max_cpus = limits.max_cpus > 0 ? std::min(limits.max_cpus, cpus) : cpus;
  }
  return limits;
}

/// Opens the table. Polite queries and EXPLAIN (FORMAT JSON), which stands before a measurement,
/// note what is cached before the first byte is read; a query that must be polite fails where that
/// cannot be known.
Result<std::shared_ptr<const source::Source>> open_table(const sql::ParsedStatement& statement,
                                                         source::OpenOptions where, bool polite,
                                                         Prepared& prepared) {
  if (polite || statement.kind == sql::StatementKind::explain_json) {
    where.opened = [&prepared, polite](int file) -> Status {
      auto keeper = hooks::CacheKeeper::open(file);
      if (!keeper.ok()) return polite ? Status(std::move(keeper).error()) : ok_status();
      prepared.cache_keeper = *std::move(keeper);
      return ok_status();
    };
  }
  return source::open_source(statement.table, where);
}

}  // namespace

Result<Prepared> prepare(std::string_view sql, const wire::ExecuteOptions& options,
                         const source::OpenOptions& where) {
  const Stopwatch whole;
  Prepared prepared;
  GRAPNEL_TRY(auto request, choose::parse_hook_request(options.hook));
  GRAPNEL_TRY(const auto statement, sql::parse(sql));
  request.ask_all = statement.kind != sql::StatementKind::query;
  request.limits = limits_of(options);
  GRAPNEL_TRY(auto source, open_table(statement, where, request.limits.polite, prepared));
  GRAPNEL_TRY(prepared.query, sql::bind(statement, source->layout.columns));
  prepared.kind = statement.kind;
  prepared.threads =
      options.threads == 0 ? usable_cpus() : std::min(options.threads, limits::kThreads);
  const auto allowed = choose::limit_threads(prepared.threads, request.limits.max_cpus);
  prepared.threads = allowed.threads;
  prepared.cpu_share = allowed.cpu_share;

  prepared.estimate = choose::estimate_filter(*source, prepared.query.op);
  prepared.query.op = choose::reorder_filter(prepared.query.op, prepared.estimate);
  if (prepared.cache_keeper) prepared.cache_keeper->restore();
  auto job = std::make_shared<program::Job>();
  job->source = std::move(source);
  job->op = std::make_shared<const op::Op>(prepared.query.op);
  job->layout = std::make_shared<const state::StateLayout>(state::StateLayout::of(*job->op));
  job->max_groups = limits::kGroupsDefault;
  prepared.job = std::move(job);

  const Stopwatch compiling;
  GRAPNEL_TRY(auto made, make_program(prepared.job));
  prepared.program = std::move(made.program);
  prepared.program_note = std::move(made.note);
  prepared.compile_seconds = compiling.seconds();

  GRAPNEL_TRY(prepared.decision, choose::decide(prepared.job, prepared.program, request,
                                                prepared.threads, prepared.estimate.selectivity));
  if (!options.why_shipped.empty()) prepared.decision.reason = "ship: " + options.why_shipped;
  prepared.prepare_seconds = whole.seconds() - prepared.compile_seconds;
  if (options.ship_offer && request.name.empty()) {
    prepared.place = choose_place(prepared, *options.ship_offer);
  }
  return prepared;
}

bool streams_rows(const Prepared& prepared) {
  return !prepared.query.op.aggregating && prepared.query.finish.order_by.empty();
}

}  // namespace grapnel::engine
