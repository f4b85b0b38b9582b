// The decision table for programs.
#include <nlohmann/json.hpp>

#include "grapnel/where.h"

namespace grapnel::api {
namespace {

using Json = nlohmann::ordered_json;

Json cost_json(const HookCost& cost) {
  return {{"wall_seconds", cost.wall_seconds},
          {"cpu_seconds", cost.cpu_seconds},
          {"device_bytes", cost.device_bytes}};
}

Json if_known(const std::optional<uint64_t>& value) { return value ? Json(*value) : Json(); }

Json measured_json(const HookMeasured& measured) {
  if (measured.rounds == 0) {
    return measured.refusal.empty() ? Json() : Json{{"refused", measured.refusal}};
  }
  Json object = cost_json(measured.cost);
  object["rounds"] = measured.rounds;
  object["wall_spread"] = measured.wall_spread;
  object["bytes_copied"] = measured.bytes_copied;
  object["memory_bytes"] = if_known(measured.memory_bytes);
  object["cache_added_bytes"] = if_known(measured.cache_added_bytes);
  object["computed_share"] = measured.computed_share;
  object["load_seconds"] = measured.load_seconds;
  object["longest_run_seconds"] = measured.longest_run_seconds;
  object["verified_instructions"] = measured.verified_instructions;
  return object;
}

Json row_json(const WhereRow& row) {
  return {{"hook", row.hook},
          {"description", row.description},
          {"in_kernel", row.in_kernel},
          {"ruled_out", row.ruled_out},
          {"permitted", row.permitted},
          {"eligible", row.eligible},
          {"by_default", row.by_default},
          {"chosen", row.chosen},
          {"file_share", row.file_share},
          {"reason", row.reason},
          {"cure", row.cure},
          {"sees_cached", row.sees_cached},
          {"sees_uncached", row.sees_uncached},
          {"fills_cache", row.fills_cache},
          {"knows_file_by", row.knows_file_by},
          {"knows_process_by", row.knows_process_by},
          {"copied_share", row.copied_share},
          {"uses", row.uses},
          {"attach_point", row.attach_point},
          {"kind", row.kind},
          {"since", row.since},
          {"foundation", row.foundation},
          {"foundation_rank", row.foundation_rank},
          {"exact", row.exact},
          {"pinned", row.pinned},
          {"context", row.context},
          {"taxes_others", row.taxes_others},
          {"tax", row.tax},
          {"setup_seconds", row.setup_seconds},
          {"predicted", cost_json(row.predicted)},
          {"if_cached", cost_json(row.if_cached)},
          {"if_uncached", cost_json(row.if_uncached)},
          {"measured", measured_json(row.measured)}};
}

Json stability_json(const StabilityPrice& price) {
  if (price.stable.empty()) return {};
  return {{"stable", price.stable}, {"efficient", price.efficient}, {"percent", price.percent}};
}

}  // namespace

std::string where_json(const WhereTable& table) {
  Json object{{"sql", table.sql},
              {"path", table.path},
              {"table", table.table},
              {"op_class", table.op_class},
              {"file_bytes", table.file_bytes},
              {"data_bytes", table.data_bytes},
              {"selectivity", table.selectivity},
              {"sampled_records", table.sampled_records},
              {"result_bytes", table.result_bytes},
              {"result_streams", table.result_streams},
              {"cached_share", table.cached_share < 0 ? Json() : Json(table.cached_share)},
              {"cached_how", table.cached_how},
              {"threads", table.threads},
              {"program", table.program},
              {"prepare_seconds", table.prepare_seconds},
              {"compile_seconds", table.compile_seconds},
              {"device_bytes_per_second", table.device_bytes_per_second},
              {"device_measured", table.device_measured},
              {"pick", table.pick},
              {"why", table.why},
              {"stability", stability_json(table.everywhere)},
              {"stability_in_kernel", stability_json(table.in_kernel)},
              {"measured", table.measured},
              {"fastest", table.fastest.empty() ? Json() : Json(table.fastest)},
              {"pick_excess", table.pick_excess ? Json(*table.pick_excess) : Json()},
              {"notes", table.notes},
              {"hooks", Json::array()}};
  for (const WhereRow& row : table.rows) object["hooks"].push_back(row_json(row));
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace grapnel::api
