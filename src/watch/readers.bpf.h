/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Counts by process. */
#ifndef GRAPNEL_WATCH_READERS_BPF_H
#define GRAPNEL_WATCH_READERS_BPF_H

#include "hooks/kernel/process_number.bpf.h"
#include "watch/marks.bpf.h"

enum { GR_ONLY_NEW = 1 /* BPF_NOEXIST */ };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct gr_watch_reader_key);
  __type(value, struct gr_watch_reader);
} gr_readers SEC(".maps");

/* The process's number as the watching process sees it; 0: it is in none of its namespaces. */
GR_INLINE gr_u32 gr_seen_number(void) {
  struct gr_addresses* own = gr_get_addresses();
  return own ? gr_number_in(own->namespace, own->namespace_level) : 0;
}

GR_INLINE int gr_learn_own_namespace(void) {
  struct gr_addresses* own = gr_get_addresses();
  if (!own) return 0;
  gr_u64 level = 0;
  own->namespace = gr_own_namespace(&level);
  own->namespace_level = level;
  return own->namespace != 0;
}

/* The calling process's counts; made on first sight. */
GR_INLINE struct gr_watch_reader* gr_reader_of(gr_u32 file) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct task_struct* leader = BPF_CORE_READ(task, group_leader);
  struct gr_watch_reader_key key = {.started_ns = BPF_CORE_READ(leader, start_boottime),
                                    .process = bpf_get_current_pid_tgid() >> 32,
                                    .file = file};
  struct gr_watch_reader* known = bpf_map_lookup_elem(&gr_readers, &key);
  if (known) return known;
  struct gr_watch_reader reader = {.number = gr_seen_number(),
                                   .cgroup = bpf_get_current_cgroup_id()};
  reader.kernel_thread = (BPF_CORE_READ(leader, flags) & GR_PF_KTHREAD) != 0;
  bpf_core_read(&reader.comm, sizeof reader.comm, &leader->comm);
  bpf_map_update_elem(&gr_readers, &key, &reader, GR_ONLY_NEW);
  return bpf_map_lookup_elem(&gr_readers, &key);
}

/* Adds to what the calling process did to the file. */
GR_SUBPROGRAM int gr_count_for_reader(gr_u32 file, gr_u64 asked_bytes, gr_u64 first_pages,
                                      gr_u64 caused_pages) {
  struct gr_watch_control* control = gr_get_control();
  if (!control || !control->attribute || !(asked_bytes | first_pages | caused_pages)) return 0;
  struct gr_watch_reader* reader = gr_reader_of(file);
  if (!reader) {
    __sync_fetch_and_add(&control->lost_readers, 1);
    return 0;
  }
  if (asked_bytes) __sync_fetch_and_add(&reader->asked_bytes, asked_bytes);
  if (first_pages) __sync_fetch_and_add(&reader->first_pages, first_pages);
  if (caused_pages) __sync_fetch_and_add(&reader->caused_pages, caused_pages);
  return 0;
}

#endif
