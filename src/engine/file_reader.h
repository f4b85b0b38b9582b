// Gives out the bytes of a file as they lie: the server's part of the `ship` hook.
#pragma once

#include <memory>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::engine {

/// Opens the file as `where` says and begins to read it ahead, in a thread of its own, which
/// watches the file meanwhile (scan::FileWatch). Errors: io, permission, usage, changed (the path
/// names another file than it is expected to).
Result<std::unique_ptr<source::FileStream>> read_file(const source::FileRequest& request,
                                                      const source::OpenOptions& where);

}  // namespace grapnel::engine
