/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The programs of a trace, each at its place. The loader attaches those of the layers that are
 * asked for, and of several that say the same the first that this kernel gives (points.cpp). */
#include "trace/block.bpf.h"
#include "trace/cache.bpf.h"
#include "trace/calls.bpf.h"
#include "trace/uring.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* --- System calls --- */

SEC("raw_tp/sys_enter") int gr_sys_enter(gr_u64* context) {
  if (gr_kind_of_call(context[1]) == GR_CALL_NONE) return 0;
  return gr_begin_call(context[0], context[1]);
}

SEC("raw_tp/sys_exit") int gr_sys_exit(gr_u64* context) {
  struct pt_regs* registers = (struct pt_regs*)context[0];
  if (gr_kind_of_call(BPF_CORE_READ(registers, orig_ax)) == GR_CALL_NONE) return 0;
  return gr_end_call(context[1]);
}

/* The room of a thread that ends is for others. */
SEC("raw_tp/sched_process_exit") int gr_thread_ends(gr_u64* context) {
  gr_u32 thread = bpf_get_current_pid_tgid();
  bpf_map_delete_elem(&gr_calls, &thread);
  return 0;
}

SEC("raw_tp/io_uring_submit_req") int gr_uring_submit(gr_u64* context) {
  return gr_submit_uring(context[0]);
}

/* Its name until 6.4. */
SEC("raw_tp/io_uring_submit_sqe") int gr_uring_submit_before(gr_u64* c) {
  return gr_submit_uring(c[0]);
}

SEC("raw_tp/io_uring_complete") int gr_uring_complete(gr_u64* context) {
  return gr_complete_uring(context[1]);
}

/* --- Page cache --- */

SEC("raw_tp/mm_filemap_add_to_page_cache") int gr_cache_add(gr_u64* c) {
  return gr_add_folio(c[0]);
}

SEC("raw_tp/mm_filemap_get_pages") int gr_cache_pages(gr_u64* context) { return gr_got_pages(); }

SEC("fexit/filemap_get_pages") int gr_cache_pages_return(void* context) { return gr_got_pages(); }

SEC("raw_tp/mm_filemap_fault") int gr_cache_fault(gr_u64* context) {
  return gr_touch(context[0], context[1], 1);
}

SEC("raw_tp/mm_filemap_map_pages") int gr_cache_map(gr_u64* context) {
  return gr_touch(context[0], context[1], context[2] - context[1] + 1);
}

/* --- Block devices --- */

SEC("raw_tp/block_bio_queue") int gr_block_queue(gr_u64* context) {
  return gr_queue_bio(context[0]);
}

SEC("raw_tp/block_split") int gr_block_split(gr_u64* context) { return gr_split_bio(context[0]); }

SEC("raw_tp/block_rq_complete") int gr_block_complete(gr_u64* context) {
  return gr_complete_request(context[0], context[1], (gr_u32)context[2]);
}

/* Bios of devices that know no requests: no longer in flight. */
SEC("raw_tp/block_bio_complete") int gr_block_forget(gr_u64* context) {
  gr_u64 bio = context[1];
  bpf_map_delete_elem(&gr_bios, &bio);
  return 0;
}

/* --- For the loader --- */

/* The caller names itself: its PID namespace is the one whose numbers are shown. */
SEC("syscall") int gr_trace_begin(struct gr_begin_request* request) {
  struct gr_control* control = gr_control();
  gr_u64 level = 0, namespace_address = gr_own_namespace(&level);
  if (!control || !namespace_address) return 0;
  control->namespace_level = level;
  control->namespace_address = namespace_address;
  control->own_tgid = bpf_get_current_pid_tgid() >> 32;
  request->done = 1;
  return 0;
}

/* A file whose name fits: nothing of it is left out, even if it is never opened again. */
SEC("syscall") int gr_trace_file(struct gr_file_request* request) {
  struct file* file = gr_file_of(request->fd);
  struct gr_file_id id = {};
  if (!file || !gr_identify_inode(BPF_CORE_READ(file, f_inode), &id)) return 0;
  gr_keep_name(&id, (gr_u64)BPF_CORE_READ(file, dentry), (gr_u64)BPF_CORE_READ(file, mnt),
               GR_NAME_WANTED);
  request->file = id;
  request->done = 1;
  return 0;
}
