#include "api/trace_counts.h"

namespace grapnel::api {

TraceCounts to_public(const gr_counts& c) {
  TraceCounts counts;
  counts.opens = c.opens;
  counts.calls = c.calls;
  counts.asked_bytes = c.asked_bytes;
  counts.read_bytes = c.read_bytes;
  counts.sent_bytes = c.sent_bytes;
  counts.cached_bytes = c.cached_bytes;
  counts.direct_bytes = c.direct_bytes;
  counts.maps = c.maps;
  counts.mapped_bytes = c.mapped_bytes;
  counts.faults = c.faults;
  counts.added_bytes = c.added_bytes;
  counts.device_bytes = c.device_bytes;
  counts.requests = c.requests;
  counts.failed_requests = c.failed_requests;
  return counts;
}

void keep_layer(TraceCounts& c, TraceLayer layer) {
  if (layer == TraceLayer::all) return;
  TraceCounts kept;
  switch (layer) {
    case TraceLayer::syscall:
      kept = c;
      kept.cached_bytes = kept.faults = kept.added_bytes = 0;
      kept.device_bytes = kept.requests = kept.failed_requests = 0;
      break;
    case TraceLayer::cache:
      kept.cached_bytes = c.cached_bytes;
      kept.faults = c.faults;
      kept.added_bytes = c.added_bytes;
      break;
    case TraceLayer::block:
      kept.device_bytes = c.device_bytes;
      kept.requests = c.requests;
      kept.failed_requests = c.failed_requests;
      break;
    case TraceLayer::all:
      break;
  }
  c = kept;
}

bool is_of_layer(gr_u32 kind, TraceLayer layer) {
  switch (layer) {
    case TraceLayer::syscall:
      return kind == GR_EVENT_OPEN || kind == GR_EVENT_READ || kind == GR_EVENT_SEND ||
             kind == GR_EVENT_MAP;
    case TraceLayer::cache:
      return kind == GR_EVENT_ADD || kind == GR_EVENT_FAULT;
    case TraceLayer::block:
      return kind == GR_EVENT_BLOCK;
    case TraceLayer::all:
      break;
  }
  return true;
}

bool is_empty(const TraceCounts& c) {
  return c.opens + c.calls + c.cached_bytes + c.maps + c.faults + c.added_bytes + c.requests == 0;
}

TraceTotals to_public(const gr_tally& now, const gr_tally& before) {
  TraceTotals totals;
  const auto histogram = [&](TraceHistogram& to, gr_layer layer) {
    for (size_t i = 0; i < to.size(); i++) to[i] = now.latency[layer][i] - before.latency[layer][i];
  };
  histogram(totals.syscall, GR_LAYER_SYSCALL);
  histogram(totals.cache, GR_LAYER_CACHE);
  histogram(totals.block, GR_LAYER_BLOCK);
  totals.events = now.events - before.events;
  totals.requests = now.requests - before.requests;
  totals.requests_many_files = now.requests_many_files - before.requests_many_files;
  totals.requests_many_processes = now.requests_many_processes - before.requests_many_processes;
  totals.lost_events = now.lost_events - before.lost_events;
  totals.lost_rows = now.lost_counts - before.lost_counts;
  totals.lost_calls = now.lost_calls - before.lost_calls;
  totals.lost_reads = now.lost_bios - before.lost_bios;
  totals.lost_names = now.lost_names - before.lost_names;
  return totals;
}

gr_counts difference(const gr_counts& now, const gr_counts& before) {
  gr_counts change{};
  auto* to = reinterpret_cast<uint64_t*>(&change);
  const auto* a = reinterpret_cast<const uint64_t*>(&now);
  const auto* b = reinterpret_cast<const uint64_t*>(&before);
  for (size_t i = 0; i < sizeof change / sizeof *to; i++) to[i] = a[i] - b[i];
  return change;
}

void TraceCounts::add(const TraceCounts& o) {
  opens += o.opens;
  calls += o.calls;
  asked_bytes += o.asked_bytes;
  read_bytes += o.read_bytes;
  sent_bytes += o.sent_bytes;
  cached_bytes += o.cached_bytes;
  direct_bytes += o.direct_bytes;
  maps += o.maps;
  mapped_bytes += o.mapped_bytes;
  faults += o.faults;
  added_bytes += o.added_bytes;
  device_bytes += o.device_bytes;
  requests += o.requests;
  failed_requests += o.failed_requests;
}

const char* to_string(TraceEvent::Kind kind) {
  switch (kind) {
    case TraceEvent::Kind::open:
      return "open";
    case TraceEvent::Kind::read:
      return "read";
    case TraceEvent::Kind::send:
      return "send";
    case TraceEvent::Kind::map:
      return "map";
    case TraceEvent::Kind::cache_add:
      return "add";
    case TraceEvent::Kind::fault:
      return "fault";
    case TraceEvent::Kind::block:
      return "block";
  }
  return "";
}

}  // namespace grapnel::api
