// The client's side: a server as an Executor.
#pragma once

#include <memory>
#include <string>

#include "wire/executor.h"

namespace grapnel::wire {

Result<std::unique_ptr<Executor>> connect_flight(const std::string& host, uint16_t port);

}  // namespace grapnel::wire
