// Opening a path as a regular file, and nothing else. Internal to this folder.
#pragma once

#include <sys/stat.h>

#include "source/source.h"

namespace grapnel::source {

struct OpenFile {
  UniqueFd fd;
  FileIdentity identity;
};

/// Opens `path` for reading, close-on-exec, without touching the access time where that is allowed.
/// Nothing but a regular file is ever opened: a FIFO would block, a device can act on being opened.
/// Errors: io, permission (also for a path that leaves the served directory), usage (no regular
/// file).
Result<OpenFile> open_regular_file(const std::string& path, const OpenOptions& options);

/// Identity from fstat.
FileIdentity identity_of(const struct stat& status);

}  // namespace grapnel::source
