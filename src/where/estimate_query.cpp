#include <algorithm>

#include "choose/learn.h"
#include "grapnel/calibrate.h"
#include "grapnel/where.h"
#include "hooks/common/rates.h"

namespace grapnel::api {
namespace {

void fill_hooks(const WhereTable& table, EstimateInput& in) {
  in.hooks.clear();
  for (const WhereRow& row : table.rows) {
    if (!row.usable() || !row.sees_cached) continue;
    const HookCost& cost = row.fills_cache ? row.if_cached : row.if_uncached;
    if (cost.cpu_seconds <= 0) continue;
    in.hooks.push_back(
        {row.hook, in.file_bytes / cost.cpu_seconds, !row.fills_cache, row.setup_seconds});
  }
}

/// The client would run the program of the hook `read`: as fast as here, for want of better
/// knowledge.
void fill_client(const WhereTable& table, EstimateInput& in) {
  for (const WhereRow& row : table.rows) {
    if (row.hook != "read" || row.if_cached.cpu_seconds <= 0) continue;
    in.client_bytes_per_second = in.file_bytes / row.if_cached.cpu_seconds;
  }
}

Result<std::monostate> fill_link(const std::string& on, EstimateInput& in) {
  choose::recall();
  auto link = hooks::known_link(on);
  if (!link) {
    CalibrateOptions options;
    options.on = on;
    if (auto measured = calibrate(options); !measured) return measured.error();
    link = hooks::known_link(on);
  }
  if (link) {
    in.link_bytes_per_second = link->bytes_per_second;
    in.rtt_seconds = link->rtt_seconds;
  }
  return std::monostate{};
}

}  // namespace

Result<EstimateInput> estimate_query(const std::string& sql, const std::string& on,
                                     const EstimateInput& base) {
  WhereOptions options;
  options.on = on;
  auto table = where(sql, options);
  if (!table) return table.error();
  EstimateInput in = base;
  in.file_bytes = std::max<double>(static_cast<double>(table->data_bytes), 1);
  in.result_bytes = table->result_bytes;
  in.result_streams = table->result_streams;
  if (table->cached_share >= 0) in.cached_share = table->cached_share;
  in.device_bytes_per_second = table->device_bytes_per_second;
  in.devices = 1;
  in.server_threads = table->threads;
  fill_hooks(*table, in);
  fill_client(*table, in);
  if (!on.empty()) {
    if (auto status = fill_link(on, in); !status) return status.error();
  }
  return in;
}

}  // namespace grapnel::api
