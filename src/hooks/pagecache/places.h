// The places where pagecache.bpf.c can sit.
#pragma once

#include "hooks/kernel/attach_point.h"

namespace grapnel::hooks::pagecache {

const kernel::AttachPoints& places();

}  // namespace grapnel::hooks::pagecache
