#include "grapnel/where.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "where/measure.h"

namespace grapnel::api {
namespace {

using Json = nlohmann::json;

Error not_understood() {
  return {ErrorKind::data, "the plan is not what this version of grapnel understands",
          "client and server may be of different versions", 0, std::nullopt};
}

HookCost cost_of(const Json& object) {
  return {object.value("wall_seconds", 0.0), object.value("cpu_seconds", 0.0),
          object.value("device_bytes", uint64_t{0})};
}

WhereRow row_of(const Json& object) {
  WhereRow row;
  const auto take = [&object](const char* name, auto& value) { value = object.value(name, value); };
  take("hook", row.hook);
  take("description", row.description);
  take("in_kernel", row.in_kernel);
  take("ruled_out", row.ruled_out);
  take("permitted", row.permitted);
  take("eligible", row.eligible);
  take("by_default", row.by_default);
  take("chosen", row.chosen);
  take("file_share", row.file_share);
  take("reason", row.reason);
  take("cure", row.cure);
  take("uses", row.uses);
  take("attach_point", row.attach_point);
  take("kind", row.kind);
  take("since", row.since);
  take("foundation", row.foundation);
  take("foundation_rank", row.foundation_rank);
  take("exact", row.exact);
  take("pinned", row.pinned);
  take("context", row.context);
  take("knows_file_by", row.knows_file_by);
  take("knows_process_by", row.knows_process_by);
  take("sees_cached", row.sees_cached);
  take("sees_uncached", row.sees_uncached);
  take("fills_cache", row.fills_cache);
  take("copied_share", row.copied_share);
  take("taxes_others", row.taxes_others);
  take("tax", row.tax);
  take("setup_seconds", row.setup_seconds);
  row.predicted = cost_of(object.at("predicted"));
  row.if_cached = cost_of(object.at("if_cached"));
  row.if_uncached = cost_of(object.at("if_uncached"));
  return row;
}

WhereTable table_of(const Json& plan) {
  WhereTable table;
  const auto take = [&plan](const char* name, auto& value) { value = plan.value(name, value); };
  take("path", table.path);
  take("table", table.table);
  take("op_class", table.op_class);
  take("file_bytes", table.file_bytes);
  take("data_bytes", table.data_bytes);
  take("selectivity", table.selectivity);
  take("sampled_records", table.sampled_records);
  take("result_bytes", table.result_bytes);
  take("result_streams", table.result_streams);
  take("cached_how", table.cached_how);
  take("threads", table.threads);
  take("program", table.program);
  take("prepare_seconds", table.prepare_seconds);
  take("compile_seconds", table.compile_seconds);
  take("device_bytes_per_second", table.device_bytes_per_second);
  take("device_measured", table.device_measured);
  take("pick", table.pick);
  take("why", table.why);
  if (plan.at("cached_share").is_number()) table.cached_share = plan.at("cached_share");
  for (const Json& hook : plan.at("hooks")) table.rows.push_back(row_of(hook));
  return table;
}

/// The text of a result of one row and one text column.
Result<std::string> only_text(QueryResult& result) {
  ArrowSchema schema{};
  if (auto status = result.schema(&schema); !status) return status.error();
  std::string text;
  std::optional<Error> error;
  for (;;) {
    ArrowArray batch{};
    auto more = result.next(&batch);
    if (!more) error = more.error();
    if (!more || !*more) break;
    if (schema.n_children == 1 && batch.length == 1) {
      const ColumnText column(*schema.children[0], *batch.children[0]);
      if (column.is_text() && !column.is_null(0)) text = column.text(0);
    }
    batch.release(&batch);
  }
  schema.release(&schema);
  if (error) return *error;
  return text;
}

StabilityPrice price_of_stability(const std::vector<WhereRow>& rows, bool only_in_kernel) {
  const WhereRow* stable = nullptr;
  const WhereRow* efficient = nullptr;
  for (const WhereRow& row : rows) {
    if (!row.usable() || !row.measured.refusal.empty()) continue;
    if (only_in_kernel && !row.in_kernel) continue;
    if (efficient == nullptr || row.wall_seconds() < efficient->wall_seconds()) efficient = &row;
    // On equal ground one that may be taken unasked, then the faster one.
    const auto steadiness = [](const WhereRow& one) {
      return std::tuple(one.foundation_rank, !one.by_default, one.wall_seconds());
    };
    if (stable == nullptr || steadiness(row) < steadiness(*stable)) stable = &row;
  }
  if (stable == nullptr) return {};
  StabilityPrice price{stable->hook, efficient->hook, 0};
  if (efficient->wall_seconds() > 0) {
    price.percent = 100 * (stable->wall_seconds() / efficient->wall_seconds() - 1);
  }
  return price;
}

}  // namespace

std::string WhereRow::may() const {
  if (ruled_out) return "ruled out";
  if (!permitted) return "not permitted";
  if (!eligible) return "cannot";
  return by_default ? "yes" : "if named";
}

std::string WhereRow::place() const {
  return attach_point.empty() ? uses : attach_point.substr(0, attach_point.find(" ("));
}

Result<WhereTable> where(const std::string& sql, const WhereOptions& options) {
  auto connection = options.on.empty() ? Connection::embedded() : Connection::remote(options.on);
  if (!connection) return connection.error();
  auto result = connection->execute("EXPLAIN (FORMAT JSON) " + sql, options.query, options.cancel);
  if (!result) {
    // Places count from the beginning of the text that the user wrote.
    constexpr uint32_t kShift = sizeof("EXPLAIN (FORMAT JSON) ") - 1;
    Error error = result.error();
    if (error.sql_offset) {
      error.sql_offset = *error.sql_offset >= kShift ? *error.sql_offset - kShift : 0;
    }
    return error;
  }
  auto text = only_text(*result);
  if (!text) return text.error();
  const Json plan = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!plan.is_object()) return not_understood();
  WhereTable table;
  try {
    table = table_of(plan);
  } catch (const Json::exception&) {
    return not_understood();
  }
  table.sql = sql;
  if (options.measure) {
    if (auto status = measure(*connection, options, table); !status) return status.error();
  }
  table.everywhere = price_of_stability(table.rows, false);
  table.in_kernel = price_of_stability(table.rows, true);
  return table;
}

}  // namespace grapnel::api
