// Is what a block device delivers the very bytes of the file?
#pragma once

#include <cstdint>
#include <string>

#include "hooks/hook.h"

namespace grapnel::hooks::block {

/// Yes only for what is known to be plain: ext4 or xfs, a file that is not encrypted, compressed,
/// verified, inline, in a realtime section or mapped directly (DAX), on a disk, a partition, a loop
/// device or linear mappings of these. By statx, FS_IOC_FSGETXATTR, sysfs and the device mapper's
/// own words.
Verdict is_plain(const source::Source& source);

/// The most bytes that one readahead(2) on the file's device asks for.
uint64_t readahead_limit_bytes(const source::Source& source);

}  // namespace grapnel::hooks::block
