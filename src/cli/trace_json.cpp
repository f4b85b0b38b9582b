#include <cstdio>
#include <string>

#include "cli/trace_text.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

/// One object on one line.
class Line {
 public:
  explicit Line(const char* type) { text("type", type); }

  Line& text(const char* key, std::string_view value) {
    begin(key);
    append_json_string(out_, value);
    return *this;
  }
  Line& number(const char* key, uint64_t value) {
    begin(key);
    out_ += std::to_string(value);
    return *this;
  }
  Line& real(const char* key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.6f", value);
    begin(key);
    out_ += digits;
    return *this;
  }
  Line& boolean(const char* key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  Line& histogram(const char* key, const api::TraceHistogram& counts) {
    begin(key);
    out_ += '[';
    for (size_t i = 0; i < counts.size(); i++)
      out_ += (i == 0 ? "" : ", ") + std::to_string(counts[i]);
    out_ += ']';
    return *this;
  }
  std::string end() { return out_ + "}\n"; }

 private:
  void begin(const char* key) {
    out_ += out_.empty() ? "{\"" : ", \"";
    out_ += key;
    out_ += "\": ";
  }
  std::string out_;
};

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

void add_process(Line& line, const api::TraceProcess& process) {
  line.text("process", kind_text(process.kind)).number("pid", process.pid);
  line.text("command", process.command).number("start_ns", process.start_ns);
}

void add_file(Line& line, const api::TraceFile& file) {
  line.text("path", file.path).boolean("named", file.named).number("inode", file.inode);
  line.text("device", std::to_string(file.major) + ":" + std::to_string(file.minor));
}

}  // namespace

std::string row_json(const char* type, const api::TraceRow& row, double seconds) {
  Line line(type);
  line.real("seconds", seconds);
  add_process(line, row.process);
  add_file(line, row.file);
  const api::TraceCounts& c = row.counts;
  return line.number("opens", c.opens)
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
      .end();
}

std::string totals_json(const char* type, const api::TraceInterval& interval) {
  const api::TraceTotals& t = interval.totals;
  return Line(type)
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
      .histogram("syscall_log2_ns", t.syscall)
      .histogram("cache_log2_ns", t.cache)
      .histogram("block_log2_ns", t.block)
      .end();
}

std::string event_json(const api::TraceEvent& event) {
  Line line("event");
  line.text("event", to_string(event.kind)).number("time_ns", event.time_ns);
  add_process(line, event.process);
  add_file(line, event.file);
  if (event.has_offset) line.number("offset", event.offset);
  line.number("asked_bytes", event.asked_bytes).number("bytes", event.bytes);
  line.number("cached_bytes", event.cached_bytes).number("latency_ns", event.latency_ns);
  if (event.request != 0) line.number("request", event.request);
  if (event.error != 0) line.number("errno", static_cast<uint64_t>(event.error));
  return line.end();
}

std::string sight_json(const api::TraceSight& sight) {
  Line line("sight");
  line.text("what", sight.what).boolean("seen", !sight.place.empty()).text("place", sight.place);
  return sight.why.empty() ? line.end() : line.text("why", sight.why).end();
}

std::string cost_json(const api::TraceCost& cost) {
  return Line("cost")
      .text("program", cost.program)
      .number("runs", cost.runs)
      .real("seconds", cost.seconds)
      .end();
}

}  // namespace grapnel::cli
