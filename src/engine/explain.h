// EXPLAIN: the plan of a query as lines for a person.
#pragma once

#include <string>
#include <vector>

#include "engine/prepare.h"
#include "grapnel/grapnel.h"

namespace grapnel::engine {

/// What is done per record, by which program and hook, and why not by the others. `measured`:
/// EXPLAIN ANALYZE, what came of it.
std::vector<std::string> explain(const Prepared& prepared, const api::Statistics* measured);

}  // namespace grapnel::engine
