#include <string>

#include "cli/json_object.h"
#include "cli/trace_text.h"

namespace grapnel::cli {
namespace {

JsonObject line(const char* type) {
  JsonObject json;
  json.text("type", type);
  return json;
}

std::string histogram(const api::TraceHistogram& counts) {
  std::string text = "[";
  for (size_t i = 0; i < counts.size(); i++)
    text += (i == 0 ? "" : ", ") + std::to_string(counts[i]);
  return text + "]";
}

const char* kind_text(api::TraceProcess::Kind kind) {
  switch (kind) {
    case api::TraceProcess::Kind::process:
      return "process";
    case api::TraceProcess::Kind::kernel_for:
      return "kernel for";
    case api::TraceProcess::Kind::kernel:
      return "kernel";
    case api::TraceProcess::Kind::unknown:
      return "unknown";
    case api::TraceProcess::Kind::others:
      return "others";
  }
  return "";
}

void add_process(JsonObject& json, const api::TraceProcess& process) {
  json.text("process", kind_text(process.kind)).number("pid", process.pid);
  json.text("command", process.command).number("start_ns", process.start_ns);
}

void add_file(JsonObject& json, const api::TraceFile& file) {
  json.text("path", file.path).boolean("named", file.named).number("inode", file.inode);
  json.text("device", std::to_string(file.major) + ":" + std::to_string(file.minor));
}

}  // namespace

std::string row_json(const char* type, const api::TraceRow& row, double seconds) {
  JsonObject json = line(type);
  json.real("seconds", seconds);
  add_process(json, row.process);
  add_file(json, row.file);
  const api::TraceCounts& c = row.counts;
  return json.number("opens", c.opens)
             .number("calls", c.calls)
             .number("asked_bytes", c.asked_bytes)
             .number("read_bytes", c.read_bytes)
             .number("sent_bytes", c.sent_bytes)
             .number("cached_bytes", c.cached_bytes)
             .number("direct_bytes", c.direct_bytes)
             .number("maps", c.maps)
             .number("mapped_bytes", c.mapped_bytes)
             .number("faults", c.faults)
             .number("added_bytes", c.added_bytes)
             .number("device_bytes", c.device_bytes)
             .number("requests", c.requests)
             .number("failed_requests", c.failed_requests)
             .end() +
         "\n";
}

std::string totals_json(const char* type, const api::TraceInterval& interval) {
  const api::TraceTotals& t = interval.totals;
  return line(type)
             .real("seconds", interval.seconds)
             .number("rows", interval.rows.size())
             .number("events", t.events)
             .number("requests", t.requests)
             .number("requests_many_files", t.requests_many_files)
             .number("requests_many_processes", t.requests_many_processes)
             .number("lost_events", t.lost_events)
             .number("lost_rows", t.lost_rows)
             .number("lost_calls", t.lost_calls)
             .number("lost_reads", t.lost_reads)
             .number("lost_names", t.lost_names)
             .raw("syscall_log2_ns", histogram(t.syscall))
             .raw("cache_log2_ns", histogram(t.cache))
             .raw("block_log2_ns", histogram(t.block))
             .end() +
         "\n";
}

std::string event_json(const api::TraceEvent& event) {
  JsonObject json = line("event");
  json.text("event", to_string(event.kind)).number("time_ns", event.time_ns);
  add_process(json, event.process);
  add_file(json, event.file);
  if (event.has_offset) json.number("offset", event.offset);
  json.number("asked_bytes", event.asked_bytes).number("bytes", event.bytes);
  json.number("cached_bytes", event.cached_bytes).number("latency_ns", event.latency_ns);
  if (event.request != 0) json.number("request", event.request);
  if (event.error != 0) json.number("errno", static_cast<uint64_t>(event.error));
  return json.end() + "\n";
}

std::string sight_json(const api::TraceSight& sight) {
  JsonObject json = line("sight");
  json.text("what", sight.what).boolean("seen", !sight.place.empty()).text("place", sight.place);
  if (!sight.why.empty()) json.text("why", sight.why);
  return json.end() + "\n";
}

std::string cost_json(const api::TraceCost& cost) {
  return line("cost")
             .text("program", cost.program)
             .number("runs", cost.runs)
             .real("seconds", cost.seconds)
             .end() +
         "\n";
}

}  // namespace grapnel::cli
