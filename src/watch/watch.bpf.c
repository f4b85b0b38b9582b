/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sees which pages of the watched files other processes read, and sets a bit for each. Nothing is
 * computed here, no byte of a file is looked at, and nothing is kept of files that are not watched:
 * for them an event costs one lookup. Places, and what each sees: places.cpp. */
#include "hooks/kernel/file_of.bpf.h"
#include "hooks/kernel/folio.bpf.h"
#include "watch/marks.bpf.h"
#include "watch/readers.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Number of the file + 1 if the calling process's doing with it is to be seen, else 0. */
GR_INLINE gr_u32 gr_watched(gr_u64 mapping) {
  struct gr_addresses* known = gr_get_addresses();
  if (!known || (known->only_mapping && known->only_mapping != mapping)) return 0;
  gr_u32* file = bpf_map_lookup_elem(&gr_mappings, &mapping);
  if (!file) return 0;
  struct gr_watch_control* control = gr_get_control();
  if (!control || bpf_get_current_pid_tgid() >> 32 == control->self) return 0;
  if (control->pause && (bpf_get_prandom_u32() & 255) < control->pause) return 0;
  return *file + 1;
}

GR_INLINE struct gr_watch_cpu* gr_cpu(void) {
  gr_u32 number = bpf_get_smp_processor_id() & (GR_WATCH_CPUS - 1);
  return bpf_map_lookup_elem(&gr_cpus, &number);
}

/* 0: this event is not timed. */
GR_INLINE gr_u64 gr_begin_event(void) {
  struct gr_watch_cpu* cpu = gr_cpu();
  if (!cpu) return 0;
  gr_u64 number = GR_IN_MEMORY(cpu->events);
  GR_IN_MEMORY(cpu->events) = number + 1;
  return number % GR_WATCH_TIMED_EVENTS ? 0 : bpf_ktime_get_ns();
}

GR_INLINE void gr_end_event(gr_u64 begin_ns) {
  if (!begin_ns) return;
  struct gr_watch_cpu* cpu = gr_cpu();
  if (!cpu) return;
  gr_u64 taken = bpf_ktime_get_ns() - begin_ns;
  GR_IN_MEMORY(cpu->timed_events) += 1;
  GR_IN_MEMORY(cpu->timed_ns) += taken;
  if (taken > GR_IN_MEMORY(cpu->longest_ns)) GR_IN_MEMORY(cpu->longest_ns) = taken;
}

GR_INLINE int gr_see_pages(gr_u64 mapping, gr_u64 first, gr_u64 last) {
  gr_u32 file = gr_watched(mapping);
  if (!file) return 0;
  gr_u64 begin = gr_begin_event();
  if (last - first >= GR_WATCH_EVENT_PAGES) last = first + GR_WATCH_EVENT_PAGES - 1;
  gr_count_for_reader(file - 1, 0, gr_mark(file - 1, first, last), 0);
  gr_end_event(begin);
  return 0;
}

SEC("raw_tp/mm_filemap_get_pages") int gr_watch_read(gr_u64* context) {
  return gr_see_pages(context[0], context[1], context[2]);
}

SEC("raw_tp/mm_filemap_map_pages") int gr_watch_map(gr_u64* context) {
  return gr_see_pages(context[0], context[1], context[2]);
}

SEC("raw_tp/mm_filemap_fault") int gr_watch_fault(gr_u64* context) {
  return gr_see_pages(context[0], context[1], context[1]);
}

/* What comes from the device, before its bytes are there: the worker asks again until they are. */
SEC("raw_tp/mm_filemap_add_to_page_cache")
int gr_watch_add(gr_u64* context) {
  struct folio* folio = (struct folio*)context[0];
  gr_u32 file = gr_watched((gr_u64)BPF_CORE_READ(folio, mapping));
  if (!file) return 0;
  gr_u64 begin = gr_begin_event();
  gr_u64 first = BPF_CORE_READ(folio, index), pages = gr_pages_of_folio(folio);
  gr_count_for_reader(file - 1, 0, gr_mark(file - 1, first, first + pages - 1), pages);
  gr_end_event(begin);
  return 0;
}

/* Numbers of system calls on x86-64. Those of 32-bit programs mean other calls: for them a bit may
 * be set that nobody asked for, and the worker computes a page that is in the cache anyway. */
enum {
  GR_READ = 0,
  GR_PREAD64 = 17,
  GR_READV = 19,
  GR_SENDFILE = 40,
  GR_SPLICE = 275,
  GR_PREADV = 295,
  GR_PREADV2 = 327,
  GR_O_DIRECT = 040000
};

struct gr_call {
  gr_u64 fd;
  gr_u64 end;         /* offset behind what was read; not if by_position */
  gr_u64 by_position; /* the file's position is that offset */
};

/* Behind [offset pointer], which the kernel has moved on. */
GR_INLINE void gr_end_at(struct gr_call* call, gr_u64 pointer) {
  if (!pointer || bpf_probe_read_user(&call->end, sizeof call->end, (void*)pointer))
    call->by_position = 1;
}

/* 0: it does not read from a file. The registers are of a type that the verifier knows: they are
 * loaded as they stand. */
GR_INLINE int gr_what_was_called(struct pt_regs* registers, gr_u64 bytes, struct gr_call* call) {
  gr_u64 number = registers->orig_ax;
  if (number > GR_PREADV2) return 0;
  call->by_position = 0;
  if (number == GR_READ || number == GR_READV) {
    call->by_position = 1;
  } else if (number == GR_PREAD64 || number == GR_PREADV || number == GR_PREADV2) {
    gr_u64 offset = registers->r10;
    call->end = offset + bytes;
    call->by_position = offset == ~0ull;
  } else if (number == GR_SENDFILE) {
    gr_end_at(call, registers->dx);
    call->fd = registers->si;
    return 1;
  } else if (number == GR_SPLICE) {
    gr_end_at(call, registers->si);
  } else {
    return 0;
  }
  call->fd = registers->di;
  return 1;
}

GR_SUBPROGRAM int gr_see_call(gr_u32 number, gr_u64 end, gr_u64 bytes, gr_u64 direct) {
  struct gr_watch_file* file = gr_get_file(number);
  if (!file || bytes > end) return 0;
  __sync_fetch_and_add(&file->asked_bytes, bytes);
  if (direct) __sync_fetch_and_add(&file->direct_bytes, bytes);
  gr_u64 marked =
      gr_mark(number, (end - bytes) >> GR_WATCH_PAGE_BITS, (end - 1) >> GR_WATCH_PAGE_BITS);
  if (marked) __sync_fetch_and_add(&file->audited_pages, marked);
  gr_count_for_reader(number, bytes, marked, 0);
  return 0;
}

/* The end of every system call of the machine: most are let go by the first line. What a call gave
 * a reader, and no other place has shown, is marked here. */
SEC("tp_btf/sys_exit") int gr_watch_call(gr_u64* context) {
  long long bytes = context[1];
  if (bytes <= 0) return 0;
  struct gr_call call = {};
  if (!gr_what_was_called((struct pt_regs*)context[0], bytes, &call)) return 0;
  struct file* file = gr_own_file(call.fd);
  if (!file) return 0;
  gr_u32 number = gr_watched((gr_u64)BPF_CORE_READ(file, f_mapping));
  if (!number) return 0;
  gr_u64 begin = gr_begin_event();
  gr_u64 end = call.by_position ? (gr_u64)BPF_CORE_READ(file, f_pos) : call.end;
  gr_see_call(number - 1, end, bytes, BPF_CORE_READ(file, f_flags) & GR_O_DIRECT);
  gr_end_event(begin);
  return 0;
}

SEC("syscall") int gr_watch_arm(struct gr_watch_arm* request) {
  struct gr_watch_control* control = gr_get_control();
  struct file* file = gr_own_file(request->fd);
  if (!control || !file || !gr_learn_own_namespace()) return 0;
  control->self = bpf_get_current_pid_tgid() >> 32;
  gr_u64 mapping = (gr_u64)BPF_CORE_READ(file, f_mapping);
  gr_u32* known = bpf_map_lookup_elem(&gr_mappings, &mapping);
  gr_u32 number = request->file;
  GR_OPAQUE(number); /* the verifier takes no choice between two addresses */
  if (known) number = *known;
  struct gr_addresses* addresses = gr_get_addresses();
  if (!addresses) return 0;
  if (!known && bpf_map_update_elem(&gr_mappings, &mapping, &number, 0)) return 0;
  if (!known) addresses->only_mapping = number ? 0 : mapping; /* the first one has number 0 */
  request->file = number;
  request->done = 1;
  return 0;
}
