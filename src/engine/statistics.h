// What a query's stages measured, put together for the user.
#pragma once

#include "engine/prepare.h"
#include "grapnel/grapnel.h"
#include "scan/scan.h"

namespace grapnel::engine {

/// All but what is known only after the scan's outcome was finished (records, rows, finish time).
api::Statistics make_statistics(const Prepared& prepared, const scan::Statistics& scanned);

/// A program's name without the reason that may follow it: "interpreter", "native avx512".
std::string short_name(const program::Program& program);

}  // namespace grapnel::engine
