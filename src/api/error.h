// Between grapnel's own errors and the public ones.
#pragma once

#include "base/result.h"
#include "grapnel/grapnel.h"

namespace grapnel::api {

Error to_public(const grapnel::Error& error);

}  // namespace grapnel::api
