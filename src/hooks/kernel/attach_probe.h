// Looks whether places in the kernel can be had, by trying. Nothing stays attached.
#pragma once

#include "hooks/hook.h"

namespace grapnel::hooks::kernel {

/// Whether programs of that type may be loaded at all. Quick: which functions they could sit at is
/// not looked up. Feature names for base::pretend_absent: "fentry", "fexit".
Verdict can_load_fentry();
Verdict can_load_fexit();

/// A program of type sk_msg on a sockmap. Feature name: "sk_msg".
Verdict can_use_sk_msg();

}  // namespace grapnel::hooks::kernel
