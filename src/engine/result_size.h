// How large a query's answer will be: a guess from the file's first records.
#pragma once

#include "engine/prepare.h"

namespace grapnel::engine {

/// Bytes of the answer as Arrow data. Rows: from a sample of the file's beginning. Groups are not
/// counted beforehand, a usual number stands for them. Never fails: what cannot be known is guessed
/// from the types.
double estimate_result_bytes(const Prepared& prepared);

}  // namespace grapnel::engine
