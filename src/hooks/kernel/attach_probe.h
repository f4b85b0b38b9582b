// Looks whether places in the kernel can be had, by trying. Nothing stays attached.
#pragma once

#include <string>

#include "hooks/hook.h"

namespace grapnel::hooks::kernel {

/// A raw tracepoint of that name, by a program that does nothing. Feature names for
/// base::pretend_absent: "raw_tp" and the tracepoint's name.
Verdict can_attach_tracepoint(const std::string& name);

/// Whether programs of type fexit may be loaded at all. Quick: which functions they could sit at is
/// not looked up. Feature name: "fexit".
Verdict can_load_fexit();

/// A program of type sk_msg on a sockmap. Feature name: "sk_msg".
Verdict can_use_sk_msg();

}  // namespace grapnel::hooks::kernel
