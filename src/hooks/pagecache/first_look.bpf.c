/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What pagecache.bpf.c does for reads that are not its session's. */
#include "hooks/kernel/first_look.bpf.h"

SEC("fexit/filemap_get_pages") int gr_pagecache_return(void* context) { return gr_look(); }

SEC("raw_tp/mm_filemap_get_pages") int gr_pagecache_event(void* context) { return gr_look(); }

SEC("kprobe/filemap_get_pages") int gr_pagecache_call(void* context) { return gr_look(); }

SEC("kretprobe/filemap_get_pages") int gr_pagecache_result(void* context) { return gr_look(); }
