// The places where block.bpf.c can sit.
#pragma once

#include "hooks/kernel/attach_point.h"

namespace grapnel::hooks::block {

const kernel::AttachPoints& places();

}  // namespace grapnel::hooks::block
