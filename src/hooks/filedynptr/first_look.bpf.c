/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What filedynptr.bpf.c does for ioctl() on other files; and counts, since a kernel without `bpf`
 * among its security modules lets the program attach and never runs it. */
#include "hooks/kernel/first_look.bpf.h"
#include "hooks/filedynptr/file_dynptr.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, gr_u64);
} gr_runs SEC(".maps");

SEC("lsm.s/file_ioctl") int gr_filedynptr(gr_u64* context) {
  gr_u32 zero = 0;
  gr_u64* runs = bpf_map_lookup_elem(&gr_runs, &zero);
  if (runs) __sync_fetch_and_add(runs, 1);
  if (gr_is_watched(bpf_get_current_pid_tgid())) { /* never: but the kernel must permit it */
    struct bpf_dynptr content;
    bpf_dynptr_from_file((struct file*)context[0], 0, &content);
    bpf_dynptr_file_discard(&content);
  }
  return 0;
}
