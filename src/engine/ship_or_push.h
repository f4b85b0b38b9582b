// Where a query on a server's file is computed: there, or here on bytes that the server sends.
#pragma once

#include <memory>
#include <string>

#include "wire/executor.h"

namespace grapnel::engine {

/// Hands queries to `server`, but those for the hook `ship`, and those for which no hook is named
/// and the server would rather send the file, to an engine of this process, which gets the file's
/// bytes from `server`. `address` ("HOST:PORT") is for messages, and for what is known of the link.
/// Thread-safe.
std::unique_ptr<wire::Executor> make_ship_or_push(std::unique_ptr<wire::Executor> server,
                                                  std::string address);

}  // namespace grapnel::engine
