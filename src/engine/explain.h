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

/// EXPLAIN (FORMAT JSON): one object on one line, with the facts about every hook.
std::string explain_json(const Prepared& prepared);

}  // namespace grapnel::engine
