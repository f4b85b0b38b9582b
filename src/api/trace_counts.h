// Between what the kernel has counted and what the public interface shows.
#pragma once

#include "grapnel/trace.h"
#include "trace/layout.h"

namespace grapnel::api {

TraceCounts to_public(const gr_counts& counts);
/// What has come since `before`.
TraceTotals to_public(const gr_tally& now, const gr_tally& before);
gr_counts difference(const gr_counts& now, const gr_counts& before);

/// Some programs of one layer serve another one, too: only what was asked for is shown.
void keep_layer(TraceCounts& counts, TraceLayer layer);
bool is_of_layer(gr_u32 event_kind, TraceLayer layer);
/// Nothing has happened.
bool is_empty(const TraceCounts& counts);

}  // namespace grapnel::api
