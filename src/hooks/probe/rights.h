// Which of the rights that BPF asks for this process has not.
#pragma once

#include <string>

namespace grapnel::hooks::probe {

/// "CAP_BPF and CAP_PERFMON"; empty if none is missing.
std::string missing_rights();

/// What an errno of bpf(2) or perf_event_open(2) means here, in words.
std::string refusal_words(int error_number);

}  // namespace grapnel::hooks::probe
