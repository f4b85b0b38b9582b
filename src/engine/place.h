// The server's part of the choice between pushing a query and shipping the file: it knows file and
// query, and the client has said what the link carries.
#pragma once

#include <optional>
#include <string>

#include "engine/prepare.h"

namespace grapnel::engine {

/// By the latency model (grapnel/estimate.h). Pushing is the rule; shipping must be clearly
/// cheaper.
Place choose_place(const Prepared& prepared, const wire::ShipOffer& offer);

}  // namespace grapnel::engine
