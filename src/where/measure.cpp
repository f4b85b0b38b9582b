#include "where/measure.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

#include "base/unique_fd.h"
#include "calibrate/median.h"
#include "hooks/common/cache_keeper.h"

namespace grapnel::api {
namespace {

/// What one run gave.
struct Run {
  Statistics statistics;
  uint64_t answer = 0;  ///< of all rows, whatever their order
  std::optional<uint64_t> memory_bytes;
  std::optional<uint64_t> cache_added_bytes;
};

constexpr uint64_t kHashBegin = 0xcbf29ce484222325;
constexpr uint64_t kHashPrime = 0x100000001b3;

uint64_t hash_row(const std::vector<ColumnText>& columns, int64_t row, std::string& buffer) {
  buffer.clear();
  for (const ColumnText& column : columns) {
    buffer += column.is_null(row) ? '\1' : '\2';
    if (!column.is_null(row)) column.append(row, buffer);
    buffer += '\0';
  }
  uint64_t hash = kHashBegin;
  for (const char c : buffer) hash = (hash ^ static_cast<unsigned char>(c)) * kHashPrime;
  return hash ^ (hash >> 29);
}

/// Reads a result to its end. The sum of the rows' hashes does not depend on their order, which
/// GROUP BY leaves open.
Result<uint64_t> digest(QueryResult& result) {
  ArrowSchema schema{};
  if (auto status = result.schema(&schema); !status) return status.error();
  uint64_t sum = 1;
  std::string buffer;
  std::optional<Error> error;
  for (;;) {
    ArrowArray batch{};
    auto more = result.next(&batch);
    if (!more) error = more.error();
    if (!more || !*more) break;
    std::vector<ColumnText> columns;
    columns.reserve(static_cast<size_t>(schema.n_children));
    for (int64_t i = 0; i < schema.n_children; i++) {
      columns.emplace_back(*schema.children[i], *batch.children[i]);
    }
    for (int64_t row = 0; row < batch.length; row++) sum += hash_row(columns, row, buffer);
    batch.release(&batch);
  }
  schema.release(&schema);
  if (error) return *error;
  return sum;
}

/// Resident memory of this process: what it is, and the peak since it was last reset.
class Memory {
 public:
  /// The kernel lets a process reset its own peak (Linux 4.0).
  static void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
  static uint64_t peak_bytes() { return status_line("VmHWM:"); }
  static uint64_t now_bytes() { return status_line("VmRSS:"); }

 private:
  static uint64_t status_line(std::string_view name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.compare(0, name.size(), name) != 0) continue;
      return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
    }
    return 0;
  }
};

using calibrate::median_of;

/// Empty if one run did not know it.
std::optional<uint64_t> median_if_known(const std::vector<Run>& runs,
                                        std::optional<uint64_t> Run::* member) {
  std::vector<double> values;
  for (const Run& run : runs) {
    if (!(run.*member)) return std::nullopt;
    values.push_back(static_cast<double>(*(run.*member)));
  }
  return static_cast<uint64_t>(median_of(std::move(values)).value);
}

class Measurement {
 public:
  Measurement(Connection& connection, const WhereOptions& options, WhereTable& table)
      : connection_(connection), options_(options), table_(table), runs_(table.rows.size()) {}

  Result<std::monostate> run() {
    look_at_cache();
    if (auto status = warm_up(); !status) return status.error();
    for (unsigned round = 0; round < std::max(options_.rounds, 1U); round++) {
      // Back and forth, so that what changes slowly hits all alike.
      for (size_t i = 0; i < table_.rows.size(); i++) {
        const size_t index = round % 2 == 0 ? i : table_.rows.size() - 1 - i;
        if (auto status = run_hook(index); !status) return status.error();
      }
    }
    for (size_t i = 0; i < table_.rows.size(); i++) summarize(i);
    find_fastest();
    table_.measured = true;
    return std::monostate{};
  }

 private:
  /// The first use of a program in the kernel compiles it: that is paid once, and not counted.
  Result<std::monostate> warm_up() {
    for (const WhereRow& row : table_.rows) {
      if (!row.in_kernel || !row.usable()) continue;
      auto run = run_once(row.hook);
      if (!run && run.error().kind != ErrorKind::hook) return run.error();
    }
    return std::monostate{};
  }

  /// From here on the page cache is put back before each run, or a note says that it is not.
  void look_at_cache() {
    if (!options_.on.empty()) {
      table_.notes.emplace_back(
          "the server's page cache was neither looked at nor put back between the runs: later ones "
          "may have found more of the file cached; its memory was not looked at either");
      return;
    }
    const UniqueFd file(::open(table_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (file.valid()) {
      auto keeper = hooks::CacheKeeper::open(file.get());
      if (keeper.ok()) keeper_ = *std::move(keeper);
    }
    if (keeper_ == nullptr) {
      table_.notes.emplace_back(
          "what is cached cannot be known exactly here, so it was not put back between the runs: "
          "later ones may have found more of the file cached");
    }
  }

  Result<std::monostate> run_hook(size_t index) {
    WhereRow& row = table_.rows[index];
    if (!row.usable() || !row.measured.refusal.empty()) return std::monostate{};
    auto run = run_once(row.hook);
    if (!run) {
      if (run.error().kind != ErrorKind::hook) return run.error();
      row.measured.refusal = run.error().message;
      return std::monostate{};
    }
    if (!answer_) answer_ = run->answer;
    if (*answer_ != run->answer) {
      return Error{
          ErrorKind::internal, "hook " + row.hook + " gave another answer than the hooks before it",
          "unless somebody wrote to the file meanwhile, this is a bug in grapnel", 0, std::nullopt};
    }
    runs_[index].push_back(*std::move(run));
    return std::monostate{};
  }

  Result<Run> run_once(const std::string& hook) {
    if (keeper_) keeper_->restore();
    QueryOptions options = options_.query;
    options.hook = hook;
    options.allow_other_hooks = false;
    Run run;
    const bool here = options_.on.empty();
    const uint64_t before = Memory::now_bytes();
    if (here) Memory::reset_peak();
    auto result = connection_.execute(table_.sql, options, options_.cancel);
    if (!result) return result.error();
    auto answer = digest(*result);
    if (!answer) return answer.error();
    const uint64_t peak = Memory::peak_bytes();
    if (here && before > 0) run.memory_bytes = peak > before ? peak - before : 0;
    run.answer = *answer;
    run.statistics = result->statistics();
    if (keeper_) run.cache_added_bytes = keeper_->added_bytes();
    return run;
  }

  void summarize(size_t index) {
    const std::vector<Run>& runs = runs_[index];
    HookMeasured& measured = table_.rows[index].measured;
    if (runs.empty()) return;
    const auto middle = [&runs](const auto& of) {
      std::vector<double> values;
      values.reserve(runs.size());
      for (const Run& run : runs) values.push_back(static_cast<double>(of(run)));
      return median_of(std::move(values)).value;
    };
    const std::string& name = table_.rows[index].hook;
    const auto of_hook = [&name, &middle](auto member) {
      return middle([&](const Run& run) {
        for (const HookStatistics& hook : run.statistics.hooks) {
          if (hook.name == name) return static_cast<double>(hook.*member);
        }
        return 0.0;
      });
    };
    std::vector<double> walls;
    walls.reserve(runs.size());
    for (const Run& run : runs) walls.push_back(run.statistics.wall_seconds);
    measured.rounds = static_cast<unsigned>(runs.size());
    const hooks::Calibrated wall = median_of(std::move(walls));
    measured.cost.wall_seconds = wall.value;
    measured.wall_spread = wall.spread;
    measured.cost.cpu_seconds = of_hook(&HookStatistics::cpu_seconds) + middle([](const Run& run) {
                                  return run.statistics.stitched.cpu_seconds;
                                });
    measured.cost.device_bytes = static_cast<uint64_t>(of_hook(&HookStatistics::device_bytes));
    measured.bytes_copied = static_cast<uint64_t>(of_hook(&HookStatistics::bytes_copied));
    measured.load_seconds = of_hook(&HookStatistics::load_seconds);
    measured.longest_run_seconds = of_hook(&HookStatistics::longest_run_seconds);
    measured.verified_instructions =
        static_cast<uint32_t>(of_hook(&HookStatistics::verified_instructions));
    measured.memory_bytes = median_if_known(runs, &Run::memory_bytes);
    measured.cache_added_bytes = median_if_known(runs, &Run::cache_added_bytes);
    const double data = std::max<double>(static_cast<double>(table_.data_bytes), 1);
    measured.computed_share = std::min(1.0, of_hook(&HookStatistics::bytes) / data);
  }

  void find_fastest() {
    const WhereRow* fastest = nullptr;
    const WhereRow* pick = nullptr;
    for (const WhereRow& row : table_.rows) {
      if (row.measured.rounds == 0) continue;
      if (row.hook == table_.pick) pick = &row;
      if (fastest == nullptr || row.wall_seconds() < fastest->wall_seconds()) fastest = &row;
    }
    if (fastest == nullptr) return;
    table_.fastest = fastest->hook;
    if (pick != nullptr && fastest->wall_seconds() > 0) {
      table_.pick_excess = pick->wall_seconds() / fastest->wall_seconds() - 1;
    }
  }

  Connection& connection_;
  const WhereOptions& options_;
  WhereTable& table_;
  std::vector<std::vector<Run>> runs_;  ///< by row
  std::unique_ptr<hooks::CacheKeeper> keeper_;
  std::optional<uint64_t> answer_;
};

}  // namespace

Result<std::monostate> measure(Connection& connection, const WhereOptions& options,
                               WhereTable& table) {
  return Measurement(connection, options, table).run();
}

}  // namespace grapnel::api
