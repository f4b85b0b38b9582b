// The places where syscall.bpf.c can sit.
#pragma once

#include "hooks/kernel/attach_point.h"

namespace grapnel::hooks::syscalls {

const kernel::AttachPoints& places();

}  // namespace grapnel::hooks::syscalls
