/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Programs that do nothing, at the places that pagecache.bpf.c would like to have: loaded and
 * attached once to see which of them this kernel gives. */
#include <linux/types.h>
/* The types come first. */
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("fexit/filemap_get_pages") int gr_pagecache_return(void* context) { return 0; }

SEC("raw_tp/mm_filemap_get_pages") int gr_pagecache_event(void* context) { return 0; }

SEC("kprobe/filemap_get_pages") int gr_pagecache_call(void* context) { return 0; }

SEC("kretprobe/filemap_get_pages") int gr_pagecache_result(void* context) { return 0; }
