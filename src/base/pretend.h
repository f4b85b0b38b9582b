// A switch for tests: makes a kernel feature look absent, so that every fallback can be tested on a
// kernel that has the feature.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace grapnel::base {

/// True if the environment variable GRAPNEL_PRETEND_ABSENT lists `feature` (names separated by
/// commas; "fexit", "tp_btf", "bpf_loop", "mm_filemap_get_pages": `grapnel doctor --hooks` prints
/// all of them). Who probes for a feature asks here first and reports it as absent then. The
/// variable is read once, at the first call of either function. Thread-safe.
bool pretend_absent(std::string_view feature);

/// "fexit is switched off (GRAPNEL_PRETEND_ABSENT)" if a program's place `section`, as it stands in
/// its object ("fexit/filemap_get_pages", "lsm.s/file_ioctl"), is not to be used: by its way
/// ("fexit", "lsm") or by its target ("filemap_get_pages"). Empty: it may be tried. Thread-safe.
std::string why_switched_off(std::string_view section);

/// What the variable lists, in its order, so that doctor can say that the machine can do more.
const std::vector<std::string>& pretended_absent();

}  // namespace grapnel::base
