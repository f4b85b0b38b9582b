// Processes put together and named the way the user asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "grapnel/watch.h"
#include "watch/board_reader.h"

namespace grapnel::watch {

/// ErrorKind::hook if readers cannot be named so here: no cgroup v2 is mounted.
Status check_reader_names(api::ReadersBy by);

/// Those of one file, most bytes first.
std::vector<api::WatchReader> summed_readers(const std::vector<ReaderCounts>& counts, uint32_t file,
                                             api::ReadersBy by);

}  // namespace grapnel::watch
