// EXPLAIN (FORMAT JSON): what EXPLAIN says, and what is known about every hook, for programs.
#include <nlohmann/json.hpp>

#include "choose/learn.h"
#include "engine/explain.h"
#include "engine/result_size.h"
#include "engine/statistics.h"
#include "hooks/common/rates.h"

namespace grapnel::engine {
namespace {

// ordered: a person may read it, too.
using Json = nlohmann::ordered_json;

Json cost_json(const hooks::Cost& cost) {
  return {{"wall_seconds", cost.wall_seconds},
          {"cpu_seconds", cost.cpu_seconds},
          {"device_bytes", cost.device_bytes}};
}

Json facts_json(const hooks::HookFacts& facts) {
  return {{"uses", facts.uses},
          {"kind", hooks::to_string(facts.kind)},
          {"since", facts.since},
          {"foundation", hooks::to_string(facts.foundation)},
          {"foundation_rank", static_cast<unsigned>(facts.foundation)},
          {"exact", facts.exact},
          {"pinned", facts.pinned},
          {"context", facts.context},
          {"knows_file_by", facts.knows_file_by},
          {"knows_process_by", facts.knows_process_by},
          {"sees_cached", facts.sees_cached},
          {"sees_uncached", facts.sees_uncached},
          {"fills_cache", facts.fills_cache},
          {"copied_share", facts.copied_share},
          {"taxes_others", facts.taxes_others},
          {"tax", facts.tax}};
}

Json hook_json(const choose::Candidate& candidate) {
  const hooks::Hook& hook = *hooks::find_hook(candidate.hook);
  const hooks::Verdict by_default = hook.by_default();
  Json object{{"hook", candidate.hook},
              {"description", hook.description()},
              {"in_kernel", hook.in_kernel()},
              {"ruled_out", candidate.ruled_out},
              {"permitted", candidate.permitted},
              {"eligible", candidate.eligible},
              {"by_default", by_default.yes},
              {"chosen", candidate.chosen},
              {"file_share", candidate.file_share},
              {"reason", candidate.reason},
              {"cure", candidate.cure},
              {"attach_point", candidate.attach_point}};
  object.update(facts_json(hook.facts()));
  object["setup_seconds"] = hook.setup_seconds();
  object["predicted"] = cost_json(candidate.cost);
  object["if_cached"] = cost_json(candidate.if_cached);
  object["if_uncached"] = cost_json(candidate.if_uncached);
  return object;
}

}  // namespace

std::string explain_json(const Prepared& prepared) {
  const source::Source& source = *prepared.job->source;
  const choose::Decision& decision = prepared.decision;
  const auto device = hooks::rate("direct", hooks::Residency::uncached, source.identity.device);
  const bool known = decision.cache.residency != hooks::Residency::unknown;
  Json object{{"path", source.path},
              {"table", source::table_expression(source)},
              {"file_bytes", source.data_end},
              {"data_bytes", source.data_end - source.data_begin},
              {"op_class", choose::op_class_name(choose::op_class(*prepared.job))},
              {"selectivity", prepared.estimate.selectivity},
              {"sampled_records", prepared.estimate.sampled_records},
              {"result_bytes", estimate_result_bytes(prepared)},
              {"result_streams", streams_rows(prepared)},
              {"cached_share", known ? Json(decision.cache.cached_share) : Json()},
              {"cached_how", decision.cache.how},
              {"threads", prepared.threads},
              {"program", short_name(*prepared.program)},
              {"prepare_seconds", prepared.prepare_seconds},
              {"compile_seconds", prepared.compile_seconds},
              {"device_bytes_per_second", 1e9 / device.wall_ns_per_byte},
              {"device_measured", device.measured},
              {"pick", choose::pick_of(decision)},
              {"why", decision.reason},
              {"hooks", Json::array()}};
  for (const auto& candidate : decision.candidates) {
    object["hooks"].push_back(hook_json(candidate));
  }
  // Paths may be any bytes.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace grapnel::engine
