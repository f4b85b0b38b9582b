// What the machine offers to compiled programs, for `grapnel doctor`.
#pragma once

#include <string>
#include <vector>

#include "grapnel/grapnel.h"

namespace grapnel::engine {

/// "Intel(R) Xeon(R) ..., AVX-512"
std::string cpu_description();

/// The compiler plugin and the cache of compiled programs.
std::vector<api::Finding> compiler_findings();

}  // namespace grapnel::engine
