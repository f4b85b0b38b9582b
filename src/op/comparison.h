// What is known of comparisons as such.
#pragma once

#include "op/expr.h"

namespace grapnel::op {

/// The comparison with its sides exchanged: a f b <=> b mirrored(f) a. Other functions stay.
Function mirrored(Function function);

}  // namespace grapnel::op
