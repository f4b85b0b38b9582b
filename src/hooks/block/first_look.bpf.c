/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What block.bpf.c does for requests that are not its session's. No file is watched; the result is
 * unused, and computed all the same. */
#include "hooks/block/file_pages.bpf.h"

char LICENSE[] SEC("license") = "GPL";

GR_INLINE int gr_look(const struct gr_completion* c) {
  gr_u64 index = gr_look_at(c->request, c->error, c->bytes);
  __asm__ volatile("" : : "r"(index));
  return 0;
}

SEC("raw_tp/block_rq_complete") int gr_block(struct gr_completion* completion) {
  return gr_look(completion);
}

SEC("tp_btf/block_rq_complete") int gr_block_typed(gr_u64* context) {
  struct gr_completion completion;
  return gr_read_completion(context, &completion) ? 0 : gr_look(&completion);
}

SEC("fentry/blk_update_request") int gr_block_call(gr_u64* context) {
  struct gr_completion completion;
  return gr_read_completion(context, &completion) ? 0 : gr_look(&completion);
}

SEC("kprobe/blk_update_request") int gr_block_probe(struct pt_regs* registers) {
  struct gr_completion completion = gr_completion_in(registers);
  return gr_look(&completion);
}
