/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: the security hook of ioctl(), the only place that hands a program a struct file which the
 * verifier trusts and whose bytes may be read there (bpf_dynptr_from_file, 6.19). The session calls
 * ioctl() for that alone. The program may sleep: what is not cached is read. */
#include "hooks/filedynptr/filedynptr.h"
#include "hooks/filedynptr/file_dynptr.bpf.h"
#include "hooks/kernel/memory_list.bpf.h"
#include "hooks/kernel/target.bpf.h"

/* Where the bytes are copied to, for each worker: nothing else may be read from a dynptr in parts
 * whose size is known only when the program runs. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_file_buffer);
} gr_file_buffers SEC(".maps");

GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  return bpf_probe_read_kernel(to, bytes, (void*)segment->address) ? GR_FAULTED : GR_COPIED;
}

/* Copies `bytes` bytes of the file, at most what the buffer holds. 0: done. */
GR_INLINE long gr_fill(struct bpf_dynptr* file, struct gr_file_buffer* buffer, gr_u64 offset,
                       gr_u64 bytes) {
  GR_KEEP_LOOP
  for (gr_u32 i = 0; i < GR_FILE_BUFFER_BYTES / GR_FILE_CHUNK_BYTES; i++) {
    gr_u64 at = i * GR_FILE_CHUNK_BYTES;
    if (at >= bytes) return 0;
    gr_u64 wanted = bytes - at;
    GR_OPAQUE(wanted);
    if (wanted > GR_FILE_CHUNK_BYTES) wanted = GR_FILE_CHUNK_BYTES;
    long failed = bpf_dynptr_read(buffer->bytes + at, wanted, file, offset + at, 0);
    if (failed) return failed;
  }
  return 0;
}

SEC("lsm.s/file_ioctl") int gr_filedynptr(gr_u64* context) {
  struct gr_worker* worker = gr_target();
  if (!worker || worker->file_offset >= worker->limit) return 0;
  struct file* file = (struct file*)context[0];
  if ((gr_u64)BPF_CORE_READ(file, f_mapping) != worker->mapping) return 0;
  gr_u32 number = worker->number;
  struct gr_file_buffer* buffer = bpf_map_lookup_elem(&gr_file_buffers, &number);
  if (!buffer) return 0;
  gr_u64 bytes = worker->limit - worker->file_offset;
  if (bytes > GR_FILE_BUFFER_BYTES) bytes = GR_FILE_BUFFER_BYTES;
  struct bpf_dynptr content;
  long failed = bpf_dynptr_from_file(file, 0, &content);
  if (!failed) failed = gr_fill(&content, buffer, worker->file_offset, bytes);
  bpf_dynptr_file_discard(&content);
  if (failed) {
    gr_fail(worker, GR_STATUS_FAULT);
    return 0;
  }
  /* By way of memory: the verifier takes the buffer's address for no number. */
  GR_IN_MEMORY(worker->batch) = (gr_u64)buffer->bytes;
  gr_take_memory(worker, GR_IN_MEMORY(worker->batch), bytes, 0);
  if (!worker->status) gr_do_segments(worker);
  return 0;
}
