/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The layer of system calls (x86-64): what a thread asks for when it enters one, and what it got
 * when it leaves. Between the two, the other layers find here which file the thread is reading. */
#ifndef GRAPNEL_TRACE_CALLS_BPF_H
#define GRAPNEL_TRACE_CALLS_BPF_H

#include "hooks/kernel/file_of.bpf.h"
#include "trace/counting.bpf.h"
#include "trace/windows.bpf.h"

enum {
  GR_NR_READ = 0,
  GR_NR_WRITE = 1,
  GR_NR_OPEN = 2,
  GR_NR_MMAP = 9,
  GR_NR_PREAD = 17,
  GR_NR_PWRITE = 18,
  GR_NR_READV = 19,
  GR_NR_WRITEV = 20,
  GR_NR_SENDFILE = 40,
  GR_NR_CREAT = 85,
  GR_NR_OPENAT = 257,
  GR_NR_SPLICE = 275,
  GR_NR_PREADV = 295,
  GR_NR_PWRITEV = 296,
  GR_NR_COPY_FILE_RANGE = 326,
  GR_NR_PREADV2 = 327,
  GR_NR_PWRITEV2 = 328,
  GR_NR_OPENAT2 = 437
};

enum {
  GR_TS_COMPAT = 2, /* a call of a 32-bit program: other numbers */
  GR_O_DIRECT = 040000,
  GR_MAP_ANONYMOUS = 0x20,
  GR_MOST_ERRNO = 4095,
  GR_MOST_VECTORS = 16 /* of a readv that are looked at */
};

/* What the call does; GR_CALL_NONE: nothing that is traced. */
GR_INLINE gr_u32 gr_kind_of_call(gr_u64 nr) {
  switch (nr) {
    case GR_NR_READ:
    case GR_NR_PREAD:
    case GR_NR_READV:
    case GR_NR_PREADV:
    case GR_NR_PREADV2:
      return GR_CALL_READ;
    case GR_NR_SENDFILE:
    case GR_NR_SPLICE:
    case GR_NR_COPY_FILE_RANGE:
      return GR_CALL_SEND;
    case GR_NR_OPEN:
    case GR_NR_CREAT:
    case GR_NR_OPENAT:
    case GR_NR_OPENAT2:
      return GR_CALL_OPEN;
    case GR_NR_MMAP:
      return GR_CALL_MAP;
    case GR_NR_WRITE:
    case GR_NR_PWRITE:
    case GR_NR_WRITEV:
    case GR_NR_PWRITEV:
    case GR_NR_PWRITEV2:
      return GR_CALL_WRITE;
    default:
      return GR_CALL_NONE;
  }
}

/* What the calling thread is doing; NULL if it never did anything that is traced. */
GR_INLINE struct gr_call* gr_call(void) {
  gr_u32 thread = bpf_get_current_pid_tgid();
  return bpf_map_lookup_elem(&gr_calls, &thread);
}

GR_SUBPROGRAM int gr_make_call(gr_u32 thread) {
  struct gr_call none = {};
  if (bpf_map_update_elem(&gr_calls, &thread, &none, GR_NOEXIST)) GR_TALLY(lost_calls);
  return 0;
}

/* --- Arguments --- */

/* The registers that a call's arguments are in. */
struct gr_registers {
  gr_u64 di, si, dx, r10, r8;
};

struct gr_user_vector {
  gr_u64 address, bytes;
};

GR_SUBPROGRAM gr_u64 gr_sum_vectors(gr_u64 address, gr_u64 count) {
  gr_u64 sum = 0;
  GR_KEEP_LOOP
  for (gr_u32 i = 0; i < GR_MOST_VECTORS; i++) {
    struct gr_user_vector vector = {};
    if (i >= count ||
        bpf_probe_read_user(&vector, sizeof vector, (void*)(address + i * sizeof vector)))
      break;
    sum += vector.bytes;
  }
  return sum;
}

/* An offset that the call has been given a pointer to; 0: that of the open file counts. */
GR_INLINE gr_u64 gr_offset_at(gr_u64 address, gr_u64 position) {
  gr_u64 offset = position;
  if (address) bpf_probe_read_user(&offset, sizeof offset, (void*)address);
  return offset;
}

/* Descriptor, offset and length of a call that reads. */
GR_INLINE void gr_read_arguments(struct gr_call* call, const struct gr_registers* r, gr_u64 nr,
                                 gr_u64 position) {
  gr_u64 vectors = nr == GR_NR_READV || nr == GR_NR_PREADV || nr == GR_NR_PREADV2;
  call->offset = position;
  call->bytes = vectors ? gr_sum_vectors(r->si, r->dx) : r->dx;
  if (nr == GR_NR_PREAD || nr == GR_NR_PREADV || nr == GR_NR_PREADV2)
    if (r->r10 != ~0ull) call->offset = r->r10;
}

GR_INLINE void gr_send_arguments(struct gr_call* call, const struct gr_registers* r, gr_u64 nr,
                                 gr_u64 position) {
  if (nr == GR_NR_SENDFILE) {
    call->offset = gr_offset_at(r->dx, position);
    call->bytes = r->r10;
  } else {
    call->offset = gr_offset_at(r->si, position);
    call->bytes = r->r8;
  }
}

GR_INLINE void gr_read_registers(struct gr_registers* copy, gr_u64 address) {
  struct pt_regs* registers = (struct pt_regs*)address;
  GR_HEAD(128) head;
  if (GR_IN_HEAD(head, struct pt_regs, di) && GR_IN_HEAD(head, struct pt_regs, r8)) {
    bpf_probe_read_kernel(&head, sizeof head, registers);
    copy->di = GR_MEMBER(&head, struct pt_regs, di);
    copy->si = GR_MEMBER(&head, struct pt_regs, si);
    copy->dx = GR_MEMBER(&head, struct pt_regs, dx);
    copy->r10 = GR_MEMBER(&head, struct pt_regs, r10);
    copy->r8 = GR_MEMBER(&head, struct pt_regs, r8);
    return;
  }
  copy->di = BPF_CORE_READ(registers, di);
  copy->si = BPF_CORE_READ(registers, si);
  copy->dx = BPF_CORE_READ(registers, dx);
  copy->r10 = BPF_CORE_READ(registers, r10);
  copy->r8 = BPF_CORE_READ(registers, r8);
}

/* --- Begin --- */

struct gr_file_members {
  struct inode* inode;
  gr_u64 position;
  gr_u32 flags;
};

GR_INLINE void gr_read_file(struct file* file, struct gr_file_members* m) {
  GR_HEAD(128) head;
  if (GR_IN_HEAD(head, struct file, f_inode) && GR_IN_HEAD(head, struct file, f_pos) &&
      GR_IN_HEAD(head, struct file, f_flags)) {
    bpf_probe_read_kernel(&head, sizeof head, file);
    m->inode = GR_MEMBER(&head, struct file, f_inode);
    m->position = GR_MEMBER(&head, struct file, f_pos);
    m->flags = GR_MEMBER(&head, struct file, f_flags);
    return;
  }
  m->inode = BPF_CORE_READ(file, f_inode);
  m->position = BPF_CORE_READ(file, f_pos);
  m->flags = BPF_CORE_READ(file, f_flags);
}

/* 1: the file is one that is traced; its position goes to call->offset. */
GR_INLINE gr_u64 gr_take_file(struct gr_call* call, struct gr_control* control, gr_u32 fd) {
  struct file* file = gr_own_file(fd);
  struct gr_file_members m = {};
  struct gr_file_id id = {};
  if (!file) return 0;
  gr_read_file(file, &m);
  if (!gr_identify_inode(m.inode, &id) || gr_is_filtered(control, &id)) return 0;
  call->file = id;
  call->file_address = (gr_u64)file;
  call->direct = (m.flags & GR_O_DIRECT) != 0;
  call->offset = m.position;
  return 1;
}

GR_SUBPROGRAM int gr_begin_call(gr_u64 registers, gr_u64 nr) {
  gr_u32 thread = bpf_get_current_pid_tgid();
  struct gr_control* control = gr_control();
  if (!control || gr_is_ignored(control)) return 0;
  if (gr_task()->status & GR_TS_COMPAT) return 0;
  struct gr_call* call = gr_call();
  if (!call) {
    gr_make_call(thread);
    call = gr_call();
    if (!call) return 0;
  }
  gr_u32 kind = gr_kind_of_call(nr);
  call->pages_ns = 0;
  if (kind == GR_CALL_READ || kind == GR_CALL_SEND || kind == GR_CALL_MAP) {
    struct gr_registers r;
    gr_read_registers(&r, registers);
    gr_u32 fd = kind == GR_CALL_MAP ? r.r8 : nr == GR_NR_SENDFILE ? r.si : r.di;
    if (kind == GR_CALL_MAP && (r.r10 & GR_MAP_ANONYMOUS)) return 0;
    if (!gr_take_file(call, control, fd)) return 0;
    gr_u64 position = call->offset;
    if (kind == GR_CALL_READ)
      gr_read_arguments(call, &r, nr, position);
    else if (kind == GR_CALL_SEND)
      gr_send_arguments(call, &r, nr, position);
    else
      call->bytes = r.si;
  }
  call->began_ns = bpf_ktime_get_ns();
  call->kind = kind;
  return 0;
}

/* --- End --- */

GR_INLINE struct gr_subject gr_subject_of(const struct gr_call* call) {
  struct gr_subject subject = {.key.file = call->file, .file = call->file_address};
  gr_identify_process(&subject.key.process);
  return subject;
}

GR_INLINE struct gr_event gr_event_of(const struct gr_subject* subject, gr_u32 kind) {
  return (struct gr_event){.time_ns = bpf_ktime_get_ns(),
                           .kind = kind,
                           .process = subject->key.process,
                           .file = subject->key.file,
                           .offset = ~0ull};
}

/* A read or a transfer has ended: `bytes` were got, by a call or by a request of io_uring. */
struct gr_transfer {
  gr_u64 offset, asked_bytes, bytes, began_ns, pages_ns;
  gr_u64 cached_bytes; /* follows from the others */
  gr_u32 direct, sent, error, unused;
};

GR_SUBPROGRAM int gr_send_transfer(struct gr_subject* subject, struct gr_transfer* t) {
  GR_PROVE(subject);
  GR_PROVE(t);
  struct gr_event event = gr_event_of(subject, t->sent ? GR_EVENT_SEND : GR_EVENT_READ);
  event.error = t->error;
  event.offset = t->offset;
  event.asked_bytes = t->asked_bytes;
  event.bytes = t->bytes;
  event.cached_bytes = t->cached_bytes;
  event.latency_ns = event.time_ns - t->began_ns;
  return gr_send(&event);
}

GR_SUBPROGRAM int gr_count_transfer(struct gr_subject* subject, struct gr_transfer* t) {
  GR_PROVE(subject);
  GR_PROVE(t);
  struct gr_subject own = *subject;
  gr_u64 now = bpf_ktime_get_ns();
  struct gr_file_id file = own.key.file;
  t->cached_bytes = t->direct ? 0 : t->bytes - gr_read_pages(&file, t->offset, t->bytes);
  struct gr_counts* counts = gr_own_row(&own);
  if (!counts) return 0;
  GR_ADD(counts->calls, 1);
  GR_ADD(counts->asked_bytes, t->asked_bytes);
  if (t->sent)
    GR_ADD(counts->sent_bytes, t->bytes);
  else
    GR_ADD(counts->read_bytes, t->bytes);
  if (t->direct)
    GR_ADD(counts->direct_bytes, t->bytes);
  else
    GR_ADD(counts->cached_bytes, t->cached_bytes);
  gr_note_latency(&file, GR_LAYER_SYSCALL, now - t->began_ns);
  if (t->pages_ns) gr_note_latency(&file, GR_LAYER_CACHE, t->pages_ns - t->began_ns);
  return gr_wants_events() ? gr_send_transfer(&own, t) : 0;
}

GR_SUBPROGRAM int gr_end_transfer(gr_s64 result) {
  struct gr_call* call = gr_call();
  if (!call) return 0;
  struct gr_subject subject = gr_subject_of(call);
  struct gr_transfer t = {.offset = call->offset,
                          .asked_bytes = call->bytes,
                          .bytes = result > 0 ? result : 0,
                          .began_ns = call->began_ns,
                          .pages_ns = call->pages_ns,
                          .direct = call->direct,
                          .sent = call->kind == GR_CALL_SEND,
                          .error = result < 0 ? -result : 0};
  return gr_count_transfer(&subject, &t);
}

GR_SUBPROGRAM int gr_end_open(gr_s64 fd) {
  struct gr_call* call = gr_call();
  struct gr_control* control = gr_control();
  if (!call || !control || fd < 0) return 0;
  struct file* file = gr_file_of(fd);
  struct gr_subject subject = {.file = (gr_u64)file};
  if (!file || !gr_identify_inode(BPF_CORE_READ(file, f_inode), &subject.key.file)) return 0;
  gr_identify_process(&subject.key.process);
  gr_see_file(&subject.key.file, subject.file, 0, 1);
  gr_see_process(&subject.key.process, 1);
  if (gr_is_filtered(control, &subject.key.file)) return 0;
  struct gr_counts* counts = gr_row(&subject.key);
  if (!counts) return 0;
  GR_ADD(counts->opens, 1);
  if (!gr_wants_events()) return 0;
  struct gr_event event = gr_event_of(&subject, GR_EVENT_OPEN);
  event.latency_ns = event.time_ns - call->began_ns;
  gr_send(&event);
  return 0;
}

GR_SUBPROGRAM int gr_end_map(gr_s64 result) {
  struct gr_call* call = gr_call();
  if (!call || (gr_u64)result >= -(gr_u64)GR_MOST_ERRNO) return 0;
  struct gr_subject subject = gr_subject_of(call);
  struct gr_counts* counts = gr_own_row(&subject);
  if (!counts) return 0;
  GR_ADD(counts->maps, 1);
  GR_ADD(counts->mapped_bytes, call->bytes);
  if (!gr_wants_events()) return 0;
  struct gr_event event = gr_event_of(&subject, GR_EVENT_MAP);
  event.asked_bytes = event.bytes = call->bytes;
  event.latency_ns = event.time_ns - call->began_ns;
  gr_send(&event);
  return 0;
}

GR_INLINE int gr_end_call(gr_s64 result) {
  struct gr_call* call = gr_call();
  if (!call) return 0;
  switch (call->kind) {
    case GR_CALL_READ:
    case GR_CALL_SEND:
      gr_end_transfer(result);
      break;
    case GR_CALL_OPEN:
      gr_end_open(result);
      break;
    case GR_CALL_MAP:
      gr_end_map(result);
      break;
    default:
      break;
  }
  call->kind = GR_CALL_NONE;
  return 0;
}

#endif
