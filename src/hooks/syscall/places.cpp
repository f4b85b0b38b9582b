#include "hooks/syscall/places.h"

#include "syscall_first_look_bpf.embed.h"

namespace grapnel::hooks::syscalls {

const kernel::AttachPoints& places() {
  static const kernel::AttachPoints places{"place where system calls return",
                                           embedded::syscall_first_look_bpf(),
                                           {{"raw_tp/sys_exit (exact, on the reader's copy)",
                                             "gr_syscall",
                                             {"gr_syscall"},
                                             {"raw_tp", "sys_exit"}},
                                            {"tp_btf/sys_exit (exact, on the reader's copy)",
                                             "gr_syscall_typed",
                                             {"gr_syscall_typed"},
                                             {"tp_btf", "sys_exit"}}}};
  return places;
}

}  // namespace grapnel::hooks::syscalls
