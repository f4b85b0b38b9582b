// The Flight SQL server.
#pragma once

#include <memory>

#include "wire/plugin.h"

namespace grapnel::wire {

Result<std::unique_ptr<Server>> make_flight_server(Executor& executor,
                                                   const ServerOptions& options);

}  // namespace grapnel::wire
