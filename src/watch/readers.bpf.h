/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Counts by process. */
#ifndef GRAPNEL_WATCH_READERS_BPF_H
#define GRAPNEL_WATCH_READERS_BPF_H

#include "watch/marks.bpf.h"

enum { GR_KERNEL_THREAD = 0x00200000 /* PF_KTHREAD */ };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct gr_watch_reader_key);
  __type(value, struct gr_watch_reader);
} gr_readers SEC(".maps");

GR_INLINE struct upid gr_number_at(struct pid* pid, gr_u64 level) {
  struct upid number = {};
  gr_u64 place = (gr_u64)pid + bpf_core_field_offset(struct pid, numbers) +
                 level * bpf_core_type_size(struct upid);
  number.nr = BPF_CORE_READ((struct upid*)place, nr);
  number.ns = BPF_CORE_READ((struct upid*)place, ns);
  return number;
}

/* The process's number as the watching process sees it; 0: it is in none of its namespaces. */
GR_INLINE gr_u32 gr_seen_number(struct task_struct* leader) {
  struct gr_addresses* own = gr_get_addresses();
  struct pid* pid = BPF_CORE_READ(leader, thread_pid);
  if (!own || !pid || BPF_CORE_READ(pid, level) < own->namespace_level) return 0;
  struct upid number = gr_number_at(pid, own->namespace_level);
  return (gr_u64)number.ns == own->namespace ? number.nr : 0;
}

GR_INLINE int gr_learn_own_namespace(void) {
  struct gr_addresses* own = gr_get_addresses();
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct pid* pid = BPF_CORE_READ(task, group_leader, thread_pid);
  if (!own || !pid) return 0;
  own->namespace_level = BPF_CORE_READ(pid, level);
  own->namespace = (gr_u64)gr_number_at(pid, own->namespace_level).ns;
  return 1;
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
  struct gr_watch_reader reader = {.number = gr_seen_number(leader),
                                   .cgroup = bpf_get_current_cgroup_id()};
  reader.kernel_thread = (BPF_CORE_READ(leader, flags) & GR_KERNEL_THREAD) != 0;
  bpf_core_read(&reader.comm, sizeof reader.comm, &leader->comm);
  bpf_map_update_elem(&gr_readers, &key, &reader, BPF_NOEXIST);
  return bpf_map_lookup_elem(&gr_readers, &key);
}

enum { GR_ASKED, GR_FIRST, GR_CAUSED };

/* Adds to what the calling process did to the file. */
GR_SUBPROGRAM int gr_count_for_reader(gr_u32 file, gr_u32 what, gr_u64 amount) {
  struct gr_watch_control* control = gr_get_control();
  if (!control || !control->attribute || !amount) return 0;
  struct gr_watch_reader* reader = gr_reader_of(file);
  if (!reader) {
    __sync_fetch_and_add(&control->lost_readers, 1);
    return 0;
  }
  if (what == GR_ASKED) __sync_fetch_and_add(&reader->asked_bytes, amount);
  if (what == GR_FIRST) __sync_fetch_and_add(&reader->first_pages, amount);
  if (what == GR_CAUSED) __sync_fetch_and_add(&reader->caused_pages, amount);
  return 0;
}

#endif
