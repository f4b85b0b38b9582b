/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The least that a BPF program at the pipe can do with a page and still look at each byte: copy it
 * into a map and add up its 64-bit words. The `pipe` hook on fixed records is held against this. */
/* One module: the hook's own anchor, and this in place of a record template. */
#include "hooks/pipe/pipe.bpf.c"
#include "lower/bpf/template.bpf.h"

/* Apache-2.0 or GPL-2.0, at your choice; the kernel takes only names that it knows. */
char LICENSE[] SEC("license") = "GPL";

enum { WORDS = GR_PAGE_BYTES / 8, UNROLLED = 64 };

static long add_words(gr_u64 i, struct gr_segments* p) {
  struct gr_worker* worker = p->worker;
  gr_u64 at = (i * UNROLLED) & (WORDS - UNROLLED);
  GR_OPAQUE(at);
  const gr_u64* words = (const gr_u64*)(worker->data + GR_PAGE_BYTES) + at;
  gr_u64 a = 0, b = 0, c = 0, d = 0;
#pragma unroll
  for (int k = 0; k < UNROLLED; k += 4) {
    a += words[k];
    b += words[k + 1];
    c += words[k + 2];
    d += words[k + 3];
  }
  worker->state[0] += a + b + c + d;
  return 0;
}

GR_INLINE void gr_do_page(struct gr_worker* worker) {
  struct gr_segments p = {.worker = worker};
  bpf_loop(WORDS / UNROLLED, add_words, &p, 0);
  worker->bytes += worker->page_bytes;
}
