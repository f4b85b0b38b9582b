// api::Statistics to and from JSON and text. Here and not in src/api, since the engine writes it
// too when it answers a server.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "grapnel/grapnel.h"

namespace grapnel::api {
namespace {

// ordered: --stats json shows the keys in the order in which a person wants to read them.
using Json = nlohmann::ordered_json;

Json counters_to_json(const HookStatistics& hook) {
  Json object{{"bytes", hook.bytes},
              {"records", hook.records},
              {"escapes", hook.escapes},
              {"escape_bytes", hook.escape_bytes},
              {"failed_extents", hook.failed_extents},
              {"bytes_copied", hook.bytes_copied},
              {"device_bytes", hook.device_bytes},
              {"cpu_seconds", hook.cpu_seconds}};
  if (hook.rest_bytes > 0) object["rest_bytes"] = hook.rest_bytes;
  if (hook.verified_instructions == 0) return object;
  object["load_seconds"] = hook.load_seconds;
  object["longest_run_seconds"] = hook.longest_run_seconds;
  object["verified_instructions"] = hook.verified_instructions;
  return object;
}

/// Takes object[name] if it is there and of a fitting type.
template <typename Value>
void take(const Json& object, const char* name, Value& value) {
  const auto found = object.find(name);
  if (found == object.end()) return;
  if constexpr (std::is_same_v<Value, std::string>) {
    if (found->is_string()) value = found->template get<std::string>();
  } else {
    if (found->is_number()) value = found->template get<Value>();
  }
}

HookStatistics counters_from_json(std::string name, const Json& object) {
  HookStatistics hook;
  hook.name = std::move(name);
  if (!object.is_object()) return hook;
  take(object, "bytes", hook.bytes);
  take(object, "records", hook.records);
  take(object, "escapes", hook.escapes);
  take(object, "escape_bytes", hook.escape_bytes);
  take(object, "failed_extents", hook.failed_extents);
  take(object, "bytes_copied", hook.bytes_copied);
  take(object, "device_bytes", hook.device_bytes);
  take(object, "cpu_seconds", hook.cpu_seconds);
  take(object, "rest_bytes", hook.rest_bytes);
  take(object, "load_seconds", hook.load_seconds);
  take(object, "longest_run_seconds", hook.longest_run_seconds);
  take(object, "verified_instructions", hook.verified_instructions);
  return hook;
}

std::string counters_to_text(const HookStatistics& hook) {
  char cpu[32];
  std::snprintf(cpu, sizeof cpu, "%.4f", hook.cpu_seconds);
  std::string text = std::to_string(hook.bytes) + " bytes, " + std::to_string(hook.records) +
                     " records, " + std::to_string(hook.bytes_copied) +
                     " bytes copied to user space, " + cpu + " s CPU";
  if (hook.escapes > 0) text += ", " + std::to_string(hook.escapes) + " records escaped";
  if (hook.rest_bytes > 0) {
    text += ", " + std::to_string(hook.rest_bytes) + " bytes left to the program in user space";
  }
  if (hook.failed_extents > 0) {
    text += ", " + std::to_string(hook.failed_extents) + " extents handed on";
  }
  return text;
}

}  // namespace

std::string Statistics::to_json() const {
  Json object{{"table", table},
              {"hook", hook},
              {"why", why},
              {"program", program},
              {"hooks", Json::object()}};
  for (const auto& one : hooks) object["hooks"][one.name] = counters_to_json(one);
  object["stitched"] = counters_to_json(stitched);
  object["file_bytes"] = file_bytes;
  object["records"] = records;
  object["selected_records"] = selected_records;
  object["result_rows"] = result_rows;
  object["bytes_sent"] = bytes_sent;
  object["threads"] = threads;
  object["prepare_seconds"] = prepare_seconds;
  object["compile_seconds"] = compile_seconds;
  object["wall_seconds"] = wall_seconds;
  object["finish_seconds"] = finish_seconds;
  object["stability"] = stability;
  object["warnings"] = warnings;
  // Paths in warnings may be any bytes.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Statistics> Statistics::from_json(std::string_view text) {
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return Error{ErrorKind::data, "the statistics are not a JSON object", {}, 0, std::nullopt};
  }
  Statistics statistics;
  take(object, "table", statistics.table);
  take(object, "hook", statistics.hook);
  take(object, "why", statistics.why);
  take(object, "program", statistics.program);
  if (const auto hooks = object.find("hooks"); hooks != object.end() && hooks->is_object()) {
    for (const auto& [name, counters] : hooks->items()) {
      statistics.hooks.push_back(counters_from_json(name, counters));
    }
  }
  if (const auto stitched = object.find("stitched"); stitched != object.end()) {
    statistics.stitched = counters_from_json({}, *stitched);
  }
  take(object, "file_bytes", statistics.file_bytes);
  take(object, "records", statistics.records);
  take(object, "selected_records", statistics.selected_records);
  take(object, "result_rows", statistics.result_rows);
  take(object, "bytes_sent", statistics.bytes_sent);
  take(object, "threads", statistics.threads);
  take(object, "prepare_seconds", statistics.prepare_seconds);
  take(object, "compile_seconds", statistics.compile_seconds);
  take(object, "wall_seconds", statistics.wall_seconds);
  take(object, "finish_seconds", statistics.finish_seconds);
  take(object, "stability", statistics.stability);
  if (const auto found = object.find("warnings"); found != object.end() && found->is_array()) {
    for (const auto& warning : *found) {
      if (warning.is_string()) statistics.warnings.push_back(warning.get<std::string>());
    }
  }
  return statistics;
}

std::string Statistics::to_text() const {
  char times[160];
  std::snprintf(times, sizeof times,
                "prepare %.4f s, compile %.4f s, scan %.4f s, finish %.4f s, %u threads",
                prepare_seconds, compile_seconds, wall_seconds, finish_seconds, threads);
  std::string text = table.empty() ? "" : "table      " + table + "\n";
  text += "hook       " + hook + " (" + why + ")\nprogram    " + program;
  for (const auto& one : hooks) text += "\n  " + one.name + "  " + counters_to_text(one);
  if (stitched.records > 0) text += "\n  stitched  " + counters_to_text(stitched);
  text += "\nrecords    " + std::to_string(selected_records) + " of " + std::to_string(records) +
          " selected, " + std::to_string(result_rows) + " rows in the result";
  text += "\nfile       " + std::to_string(file_bytes) + " bytes, " + stability;
  if (bytes_sent > 0) text += "\nsent       " + std::to_string(bytes_sent) + " bytes";
  text += "\ntime       ";
  text += times;
  return text;
}

}  // namespace grapnel::api
