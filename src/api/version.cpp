#include "grapnel/grapnel.h"

namespace grapnel::api {

// Set by src/api/CMakeLists.txt from the project's version.
const char* version() { return GRAPNEL_VERSION; }

}  // namespace grapnel::api
