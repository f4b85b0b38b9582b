// Runs a statement through every hook that may and can, in turns.
#pragma once

#include "grapnel/where.h"

namespace grapnel::api {

/// Fills the `measured` of each usable row and what of the table depends on it. Errors: see
/// where().
Result<std::monostate> measure(Connection& connection, const WhereOptions& options,
                               WhereTable& table);

}  // namespace grapnel::api
