/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: a message on its way from sendfile() to a TCP socket (program type sk_msg, socket in a
 * sockmap). Up to 6.4 each page of the file comes as it lies in the page cache (tcp_bpf_sendpage);
 * since 6.5 up to 64 KiB come at once, copied to pages of the socket (dc97391e6610 removed
 * sendpage, and tcp_bpf_sendmsg does not splice pages). Either way nothing goes to user space, and
 * taking all bytes out of the message makes sendfile() report success: nothing is sent. */
#include "hooks/kernel/target.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, gr_u32);
} gr_sockets SEC(".maps");

enum { GR_SK_PASS = 1, GR_PAGE_LINK_FLAGS = 3 };

/* The message holds its pages. */
GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  return bpf_probe_read_kernel(to, bytes, (void*)segment->address) ? GR_FAULTED : GR_COPIED;
}

struct gr_message_walk {
  struct gr_worker* worker;
  gr_u64 elements;       /* address of the scatterlists */
  gr_u64 next, count;    /* taken, and all */
  gr_u64 address, bytes; /* what is left of the one at hand */
};

static long gr_take_piece(gr_u64 i, struct gr_message_walk* w) {
  if (!w->bytes) {
    if (w->next == w->count) return 1;
    struct scatterlist* element =
        (struct scatterlist*)(w->elements + w->next * bpf_core_type_size(struct scatterlist));
    gr_u64 page = BPF_CORE_READ(element, page_link) & ~(gr_u64)GR_PAGE_LINK_FLAGS;
    w->address = page * 64 + w->worker->page_constant + BPF_CORE_READ(element, offset);
    w->bytes = BPF_CORE_READ(element, length);
    w->next++;
    if (!w->bytes) return 0;
  }
  gr_u64 n = i & (GR_MAX_SEGMENTS - 1);
  GR_OPAQUE(n);
  struct gr_segment* segment = &w->worker->segments[n];
  gr_u64 bytes = w->bytes < GR_PAGE_BYTES ? w->bytes : GR_PAGE_BYTES;
  segment->address = w->address;
  segment->bytes = bytes;
  w->address += bytes;
  w->bytes -= bytes;
  w->worker->segment_count = n + 1;
  return 0;
}

/* A new message's elements begin at 0; it never goes round the ring. */
GR_SUBPROGRAM int gr_take_message(struct gr_worker* worker, gr_u64 address) {
  GR_PROVE(worker);
  struct sk_msg* message = (struct sk_msg*)address;
  gr_u32 start = BPF_CORE_READ(message, start), end = BPF_CORE_READ(message, end);
  if (start || !end) {
    gr_fail(worker, GR_STATUS_SEGMENTS);
    return 0;
  }
  struct gr_message_walk w = {.worker = worker,
                              .elements = address + bpf_core_field_offset(struct sk_msg, data),
                              .count = end,
                              .bytes = gr_begin_list(worker)};
  bpf_loop(GR_MAX_SEGMENTS, gr_take_piece, &w, 0);
  if (w.next != w.count || w.bytes) gr_fail(worker, GR_STATUS_SEGMENTS);
  return 0;
}

SEC("sk_msg") int gr_sendfile(struct sk_msg_md* context) {
  struct gr_worker* worker = gr_target();
  if (!worker) return GR_SK_PASS;
  /* The context is the kernel's struct sk_msg (bpf_cast_to_kern_ctx would say so, since 6.2). By
   * way of memory: the verifier lets a context be read only through its own view of it. */
  GR_IN_MEMORY(worker->segments[0].folio) = (gr_u64)context;
  gr_u64 message = GR_IN_MEMORY(worker->segments[0].folio);
  gr_take_message(worker, message);
  if (!worker->status) gr_do_segments(worker);
  bpf_msg_pop_data(context, 0, BPF_CORE_READ((struct sk_msg*)message, size), 0);
  return GR_SK_PASS;
}
