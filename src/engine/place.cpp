#include "engine/place.h"

#include <algorithm>

#include "base/number_text.h"
#include "choose/cache_state.h"
#include "engine/result_size.h"
#include "grapnel/estimate.h"
#include "hooks/common/rates.h"

namespace grapnel::engine {
namespace {

// Predictions are that far off now and then, and a query that was begun here has less to wait for.
constexpr double kClearlyCheaper = 0.8;
constexpr double kWorthwhileSeconds = 0.005;

const choose::Candidate* candidate(const Prepared& prepared, std::string_view hook) {
  for (const auto& candidate : prepared.decision.candidates) {
    if (candidate.hook == hook) return &candidate;
  }
  return nullptr;
}

/// What the model is told: the pick of the chooser as the only way to push.
api::EstimateInput model_input(const Prepared& prepared, const wire::ShipOffer& offer) {
  const source::Source& source = *prepared.job->source;
  api::EstimateInput in;
  in.file_bytes = std::max(1.0, static_cast<double>(source.data_end - source.data_begin));
  in.result_bytes = estimate_result_bytes(prepared);
  in.result_streams = streams_rows(prepared);
  in.cached_share = choose::share_or_half(prepared.decision.cache);
  in.device_bytes_per_second =
      1e9 /
      hooks::rate("direct", hooks::Residency::uncached, source.identity.device).wall_ns_per_byte;
  in.link_bytes_per_second = offer.link_bytes_per_second;
  in.rtt_seconds = offer.rtt_seconds;
  in.plan_seconds = prepared.prepare_seconds + prepared.compile_seconds;
  in.client_threads = std::max(offer.threads, 1U);
  in.server_threads = prepared.threads;
  // The client runs the program of the hook `read`: as fast as here, for want of better knowledge.
  const auto* read = candidate(prepared, "read");
  if (read != nullptr && read->if_cached.cpu_seconds > 0) {
    in.client_bytes_per_second = in.file_bytes / read->if_cached.cpu_seconds;
  }
  const std::string pick = choose::pick_of(prepared.decision);
  const auto* chosen = candidate(prepared, pick);
  if (chosen != nullptr && chosen->cost.cpu_seconds > 0) {
    const bool direct = !hooks::find_hook(pick)->facts().fills_cache;
    in.hooks = {{pick, in.file_bytes / chosen->cost.cpu_seconds, direct,
                 hooks::find_hook(pick)->setup_seconds()}};
  }
  return in;
}

}  // namespace

Place choose_place(const Prepared& prepared, const wire::ShipOffer& offer) {
  Place place;
  if (offer.link_bytes_per_second <= 0) {
    place.why = "what the link carries is not known (grapnel calibrate --on measures it)";
    return place;
  }
  const api::EstimateInput in = model_input(prepared, offer);
  const auto approaches = api::estimate(in);
  if (!approaches.ok()) {
    place.why = approaches.error().message;
    return place;
  }
  double ship = 0;
  double push = -1;
  for (const auto& approach : *approaches) {
    if (approach.name == api::kShipPipelined) ship = approach.total_seconds;
    const bool pushed = approach.name.rfind(api::kPushBy, 0) == 0;
    if (pushed && (push < 0 || approach.total_seconds < push)) push = approach.total_seconds;
  }
  // It opens the file by a round trip of its own.
  ship += in.rtt_seconds;
  place.ship = push > ship / kClearlyCheaper && push - ship > kWorthwhileSeconds;
  place.why = "push " + seconds_text(push) + ", ship " + seconds_text(ship) + ": about " +
              bytes_text(in.result_bytes) + " of answer, " + bytes_text(in.file_bytes) +
              " of file, a link of " + bytes_text(in.link_bytes_per_second) + "/s and " +
              seconds_text(in.rtt_seconds) +
              (place.ship ? "" : "; shipping is not clearly cheaper");
  return place;
}

}  // namespace grapnel::engine
