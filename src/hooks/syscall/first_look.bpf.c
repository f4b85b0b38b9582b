/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What syscall.bpf.c does for calls that are not its session's. */
#include "hooks/kernel/first_look.bpf.h"

SEC("raw_tp/sys_exit") int gr_syscall(void* context) { return gr_look(); }

SEC("tp_btf/sys_exit") int gr_syscall_typed(void* context) { return gr_look(); }
