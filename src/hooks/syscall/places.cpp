#include "hooks/syscall/places.h"

#include "syscall_first_look_bpf.embed.h"

namespace grapnel::hooks::syscalls {

const kernel::AttachPoints& places() {
  static const kernel::AttachPoints places{"place where system calls return",
                                           embedded::syscall_first_look_bpf(),
                                           {{.section = "raw_tp/sys_exit",
                                             .known = "exact, on the reader's copy",
                                             .programs = {"gr_syscall"},
                                             .kind = PlaceKind::tracepoint,
                                             .foundation = Foundation::tracepoint_values},
                                            {.section = "tp_btf/sys_exit",
                                             .known = "exact, on the reader's copy",
                                             .programs = {"gr_syscall_typed"},
                                             .kind = PlaceKind::tracepoint,
                                             .foundation = Foundation::tracepoint_values}}};
  return places;
}

}  // namespace grapnel::hooks::syscalls
