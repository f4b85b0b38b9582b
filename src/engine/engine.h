// The engine: takes a statement through all stages, from text to batches, in this process.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "hooks/ship/shipped_file.h"
#include "wire/executor.h"

namespace grapnel::engine {

/// Opens files with this process's rights, relative paths from the working directory. Thread-safe.
std::unique_ptr<wire::Executor> make_engine();

/// For a server: paths are relative to `root` and cannot leave it (openat2 RESOLVE_BENEATH).
/// Errors: io (no such directory, and the like).
Result<std::unique_ptr<wire::Executor>> make_rooted_engine(const std::string& root);

/// Computes in this process, on files that `server` gives. Thread-safe.
std::unique_ptr<wire::Executor> make_shipping_engine(hooks::ship::Server server);

}  // namespace grapnel::engine
