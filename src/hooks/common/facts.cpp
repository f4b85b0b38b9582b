#include "hooks/common/rates.h"
#include "hooks/hook.h"

namespace grapnel::hooks {

std::string_view to_string(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::none:
      return "none";
    case PlaceKind::helper:
      return "helper";
    case PlaceKind::tracepoint:
      return "tracepoint";
    case PlaceKind::function:
      return "function";
  }
  return "none";
}

std::string_view to_string(Foundation foundation) {
  switch (foundation) {
    case Foundation::system_calls:
      return "system calls only";
    case Foundation::tracepoint_values:
      return "a tracepoint and its values";
    case Foundation::program_type:
      return "a BPF program type; kernel structures by BTF";
    case Foundation::tracepoint:
      return "a tracepoint; kernel structures by BTF";
    case Foundation::function:
      return "a kernel function that may go; kernel structures by BTF";
  }
  return {};
}

double Hook::setup_seconds() const { return hooks::setup_seconds(name()); }

}  // namespace grapnel::hooks
