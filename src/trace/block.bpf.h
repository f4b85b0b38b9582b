/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The layer of block devices. Who asks is known where a bio is submitted, what came where its
 * request completes: between the two, the bio's address carries the process and the file. Reads
 * only. */
#ifndef GRAPNEL_TRACE_BLOCK_BPF_H
#define GRAPNEL_TRACE_BLOCK_BPF_H

#include "trace/cache.bpf.h"

enum { GR_REQ_OP_MASK = 0xff, GR_REQ_OP_READ = 0, GR_EIO = 5 };

/* --- Submission --- */

GR_INLINE struct folio* gr_first_folio(struct bio* bio, struct page** first) {
  struct bio_vec* vector =
      (struct bio_vec*)((gr_u64)BPF_CORE_READ(bio, bi_io_vec) +
                        BPF_CORE_READ(bio, bi_idx) * bpf_core_type_size(struct bio_vec));
  gr_u64 into = BPF_CORE_READ(vector, bv_offset) + BPF_CORE_READ(bio, bi_bvec_done);
  gr_u64 page = (gr_u64)BPF_CORE_READ(vector, bv_page);
  if (!page) return 0;
  *first = (struct page*)(page + (into >> GR_PAGE_SHIFT) * bpf_core_type_size(struct page));
  return gr_folio_of_page(*first);
}

/* The file of a read past the page cache: what hangs on its bio is a struct iomap_dio with the
 * request's struct kiocb, or something else; it is taken for one only if the file that it leads to
 * lies on the device that the bio goes to. */
GR_INLINE struct file* gr_direct_file(struct bio* bio) {
  if (!bpf_core_field_exists(struct iomap_dio, iocb)) return 0;
  struct iomap_dio* dio = (struct iomap_dio*)BPF_CORE_READ(bio, bi_private);
  if (!dio) return 0;
  struct file* file = BPF_CORE_READ(dio, iocb, ki_filp);
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  if (!inode || BPF_CORE_READ(inode, i_mapping) != BPF_CORE_READ(file, f_mapping)) return 0;
  if ((BPF_CORE_READ(inode, i_mode) & GR_S_IFMT) != GR_S_IFREG) return 0;
  return BPF_CORE_READ(inode, i_sb, s_bdev) == BPF_CORE_READ(bio, bi_bdev) ? file : 0;
}

/* What the bio reads; 0 if that is known and not traced. `own`: the calling thread submits it. */
GR_SUBPROGRAM int gr_identify_bio(gr_u64 address, struct gr_subject* subject, gr_u64* offset,
                                  gr_u64 own) {
  GR_PROVE(subject);
  GR_PROVE(offset);
  struct bio* bio = (struct bio*)address;
  struct page* page = 0;
  struct folio* folio = gr_first_folio(bio, &page);
  struct inode* inode = folio ? gr_inode_of_folio(folio) : 0;
  struct gr_file_id id = {};
  *offset = ~0ull;
  if (inode) {
    gr_u64 index = BPF_CORE_READ(folio, index) +
                   ((gr_u64)page - (gr_u64)folio) / bpf_core_type_size(struct page);
    if (!gr_identify_inode(inode, &id)) return 0;
    *offset = index << GR_PAGE_SHIFT;
    subject->inode = (gr_u64)inode;
    subject->file = own ? gr_open_file(&id) : 0;
  } else {
    struct gr_call* call = own ? gr_call() : 0;
    struct file* file = gr_direct_file(bio);
    if (!file && call && call->kind == GR_CALL_READ && call->direct)
      file = (struct file*)call->file_address;
    if (!file || !gr_identify_inode(BPF_CORE_READ(file, f_inode), &id))
      id.device = BPF_CORE_READ(bio, bi_bdev, bd_dev);
    subject->file = (gr_u64)file;
  }
  subject->key.file = id;
  return 1;
}

/* A kernel thread reads for the process that had the pages added, if that was one. */
GR_INLINE void gr_identify_submitter(struct gr_subject* subject, gr_u64 offset) {
  struct gr_process_id* process = &subject->key.process;
  struct gr_process_id owner;
  gr_identify_process(process);
  if (process->kind != GR_PROCESS_KERNEL || offset == ~0ull) return;
  if (!gr_owner_of(&subject->key.file, offset >> GR_PAGE_SHIFT, &owner)) return;
  *process = owner;
  process->kind = GR_PROCESS_KERNEL_FOR;
}

GR_INLINE gr_u64 gr_is_read(gr_u32 flags) { return (flags & GR_REQ_OP_MASK) == GR_REQ_OP_READ; }

/* 1: the trace does not show who reads, or which file. */
GR_INLINE gr_u64 gr_is_left_out(const struct gr_control* control, const struct gr_count_key* key) {
  gr_u64 ignored = key->process.kind == GR_PROCESS_KERNEL_FOR
                       ? gr_is_owner_ignored(control, &key->process)
                       : gr_is_ignored(control);
  return ignored || gr_is_filtered(control, &key->file);
}

GR_INLINE int gr_queue_bio(gr_u64 address) {
  struct bio* bio = (struct bio*)address;
  struct gr_subject subject = {};
  struct gr_bio entry = {};
  struct gr_control* control = gr_control();
  if (!control || !gr_is_read(BPF_CORE_READ(bio, bi_opf)) || !BPF_CORE_READ(bio, bi_size)) return 0;
  if (!gr_identify_bio(address, &subject, &entry.offset, 1)) return 0;
  gr_identify_submitter(&subject, entry.offset);
  if (gr_is_left_out(control, &subject.key)) {
    /* With these, completions of bios that nobody is known for are left out anyway. */
    if (control->filter || control->pid) return 0;
    subject.key.process.kind = GR_PROCESS_LEFT_OUT;
  } else {
    if (subject.key.process.kind != GR_PROCESS_KERNEL_FOR) gr_see_process(&subject.key.process, 0);
    if (subject.key.file.inode) gr_see_file(&subject.key.file, subject.file, subject.inode, 0);
  }
  entry.key = subject.key;
  entry.queued_ns = bpf_ktime_get_ns();
  if (bpf_map_update_elem(&gr_bios, &address, &entry, 0)) GR_TALLY(lost_bios);
  return 0;
}

/* The front of a bio that was too large goes as a bio of its own; the rest keeps its address. */
GR_INLINE int gr_split_bio(gr_u64 front) {
  gr_u64 whole = (gr_u64)BPF_CORE_READ((struct bio*)front, bi_private);
  struct gr_bio* known = bpf_map_lookup_elem(&gr_bios, &whole);
  if (!known) return 0;
  struct gr_bio entry = *known;
  gr_u64 bytes = BPF_CORE_READ((struct bio*)front, bi_size);
  if (known->offset != ~0ull) GR_ADD(known->offset, bytes);
  if (bpf_map_update_elem(&gr_bios, &front, &entry, 0)) GR_TALLY(lost_bios);
  return 0;
}

/* --- Completion --- */

/* A request is walked bio by bio; neighbours of the same process and file are charged at once. */
struct gr_request_walk {
  gr_u64 bio;
  gr_u64 bytes_left;
  gr_u64 run_bytes; /* of the neighbours at hand; 0: there are none */
  gr_u64 request;
  struct gr_bio run; /* their first */
  gr_u32 error;
  gr_u32 chosen, many_files, many_processes;
};

GR_INLINE gr_u64 gr_same_file(const struct gr_file_id* a, const struct gr_file_id* b) {
  return a->inode == b->inode && a->device == b->device && a->is_block == b->is_block;
}

GR_INLINE gr_u64 gr_same_process(const struct gr_process_id* a, const struct gr_process_id* b) {
  return a->tgid == b->tgid && a->start_ns == b->start_ns && a->kind == b->kind;
}

GR_SUBPROGRAM int gr_send_run(struct gr_request_walk* w, gr_u64 latency) {
  GR_PROVE(w);
  struct gr_event event = {.time_ns = bpf_ktime_get_ns(),
                           .kind = GR_EVENT_BLOCK,
                           .error = w->error ? GR_EIO : 0,
                           .process = w->run.key.process,
                           .file = w->run.key.file,
                           .offset = w->run.offset,
                           .asked_bytes = w->run_bytes,
                           .bytes = w->error ? 0 : w->run_bytes,
                           .latency_ns = latency,
                           .request = w->request};
  return gr_send(&event);
}

/* Charges the neighbours at hand. */
GR_SUBPROGRAM int gr_charge_run(struct gr_request_walk* w) {
  GR_PROVE(w);
  if (!w->run_bytes) return 0;
  gr_u64 queued = w->run.queued_ns, latency = queued ? bpf_ktime_get_ns() - queued : 0;
  struct gr_count_key key = w->run.key;
  struct gr_counts* counts = gr_row(&key);
  if (!counts) return 0;
  GR_ADD(counts->requests, 1);
  if (w->error)
    GR_ADD(counts->failed_requests, 1);
  else
    GR_ADD(counts->device_bytes, w->run_bytes);
  if (latency) gr_note_latency(&key.file, GR_LAYER_BLOCK, latency);
  return gr_wants_events() ? gr_send_run(w, latency) : 0;
}

/* A bio that nobody is known for: submitted before the programs were attached, or there was no room
 * for it. */
GR_SUBPROGRAM int gr_take_stranger(gr_u64 bio, struct gr_bio* entry) {
  GR_PROVE(entry);
  struct gr_control* control = gr_control();
  struct gr_subject subject = {};
  gr_u64 offset = 0;
  if (!control || control->filter || control->pid) return 0;
  if (!gr_identify_bio(bio, &subject, &offset, 0)) return 0;
  entry->offset = offset;
  entry->queued_ns = 0;
  entry->key.file = subject.key.file;
  entry->key.process = (struct gr_process_id){.kind = GR_PROCESS_UNKNOWN};
  return 1;
}

/* `entry` follows the neighbours at hand: is it one of them? */
GR_INLINE void gr_join_run(struct gr_request_walk* w, const struct gr_bio* entry, gr_u64 bytes) {
  if (w->run_bytes) {
    gr_u64 file = gr_same_file(&entry->key.file, &w->run.key.file);
    gr_u64 process = gr_same_process(&entry->key.process, &w->run.key.process);
    if (!file) w->many_files = 1;
    if (!process) w->many_processes = 1;
    if (!file || !process) {
      gr_charge_run(w);
      w->run_bytes = 0;
    }
  }
  if (!w->run_bytes) w->run = *entry;
  w->run_bytes += bytes;
}

static long gr_complete_bio(gr_u64 i, struct gr_request_walk* w) {
  struct bio* bio = (struct bio*)w->bio;
  struct gr_control* control = gr_control();
  if (!bio || !w->bytes_left || !control) return 1;
  gr_u64 key = w->bio, bytes = BPF_CORE_READ(bio, bi_size);
  gr_u64 ends = bytes <= w->bytes_left;
  if (!ends) bytes = w->bytes_left;
  w->bytes_left -= bytes;
  w->bio = (gr_u64)BPF_CORE_READ(bio, bi_next);
  struct gr_bio entry = {};
  struct gr_bio* known = bpf_map_lookup_elem(&gr_bios, &key);
  if (known)
    entry = *known;
  else if (!gr_take_stranger(key, &entry))
    return 0;
  if (known && ends) bpf_map_delete_elem(&gr_bios, &key);
  if (entry.key.process.kind == GR_PROCESS_LEFT_OUT) return 0;
  if (gr_is_chosen(control, &entry.key.file)) w->chosen = 1;
  gr_join_run(w, &entry, bytes);
  return 0;
}

GR_SUBPROGRAM int gr_complete_request(gr_u64 address, gr_u64 error, gr_u64 bytes) {
  struct request* request = (struct request*)address;
  struct gr_tally* tally = gr_tally();
  if (!tally || !bytes || !gr_is_read(BPF_CORE_READ(request, cmd_flags))) return 0;
  struct gr_request_walk w = {.bio = (gr_u64)BPF_CORE_READ(request, bio),
                              .bytes_left = bytes,
                              .error = error & 0xff,
                              .request = bpf_ktime_get_ns() ^ address};
  bpf_loop(GR_REQUEST_BIOS, gr_complete_bio, &w, 0);
  gr_charge_run(&w);
  if (!w.chosen) return 0;
  GR_ADD(tally->requests, 1);
  GR_ADD(tally->requests_many_files, w.many_files);
  GR_ADD(tally->requests_many_processes, w.many_processes);
  return 0;
}

#endif
