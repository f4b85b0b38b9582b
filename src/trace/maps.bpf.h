/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The state of a trace in the kernel. All maps are bounded and made at the start; what finds no
 * room is counted (gr_tally). The loader may make the ring larger. */
#ifndef GRAPNEL_TRACE_MAPS_BPF_H
#define GRAPNEL_TRACE_MAPS_BPF_H

#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"
#include "trace/layout.h"

enum {
  GR_ROWS = 16384, /* pairs of process and file with activity in one interval */
  GR_FILES = 8192, /* whose names are kept */
  GR_PROCESSES = 8192,
  GR_THREADS = 16384,    /* that have called */
  GR_BIOS = 16384,       /* in flight */
  GR_WINDOWS = 65536,    /* of GR_WINDOW_PAGES pages that were added to the page cache */
  GR_URING_READS = 16384 /* in flight */
};

/* What a thread is doing. Made at its first call, removed at its end. */
struct gr_call {
  gr_u32 kind;   /* enum gr_call_kind */
  gr_u32 direct; /* 1: O_DIRECT */
  struct gr_file_id file;
  gr_u64 file_address; /* struct file */
  gr_u64 offset, bytes;
  gr_u64 began_ns;
  gr_u64 pages_ns; /* when the page cache had the first pages; 0: not yet */
};

enum gr_call_kind {
  GR_CALL_NONE,
  GR_CALL_OPEN,
  GR_CALL_READ,
  GR_CALL_SEND,
  GR_CALL_MAP,
  GR_CALL_WRITE
};

/* A read request of io_uring between submission and completion. */
struct gr_uring_read {
  gr_u64 offset, bytes;
  gr_u64 began_ns;
};

/* A bio in flight. */
struct gr_bio {
  struct gr_count_key key;
  gr_u64 offset; /* in the file; ~0: not known */
  gr_u64 queued_ns;
};

/* Pages of a file that came into the page cache, and have not been read since. */
struct gr_window_key {
  struct gr_file_id file;
  gr_u64 number; /* page / GR_WINDOW_PAGES */
};

struct gr_window {
  gr_u64 fresh;               /* a bit for each page */
  struct gr_process_id owner; /* who had them added; kind GR_PROCESS_UNKNOWN: several */
};

#define GR_MAP(name, kind, entries, key_type, value_type) \
  struct {                                                \
    __uint(type, kind);                                   \
    __uint(max_entries, entries);                         \
    __type(key, key_type);                                \
    __type(value, value_type);                            \
  } name SEC(".maps")

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_control);
} gr_controls SEC(".maps");

/* Written in turns: user space empties the one that nobody writes. */
GR_MAP(gr_counts_even, BPF_MAP_TYPE_HASH, GR_ROWS, struct gr_count_key, struct gr_counts);
GR_MAP(gr_counts_odd, BPF_MAP_TYPE_HASH, GR_ROWS, struct gr_count_key, struct gr_counts);
/* Nothing, to make rows of: on the stack it would take a quarter of all there is. */
GR_MAP(gr_no_counts, BPF_MAP_TYPE_ARRAY, 1, gr_u32, struct gr_counts);
GR_MAP(gr_tallies, BPF_MAP_TYPE_PERCPU_ARRAY, 1, gr_u32, struct gr_tally);
GR_MAP(gr_names, BPF_MAP_TYPE_HASH, GR_FILES, struct gr_file_id, struct gr_name);
GR_MAP(gr_name_scratch, BPF_MAP_TYPE_PERCPU_ARRAY, 1, gr_u32, struct gr_name);
GR_MAP(gr_processes, BPF_MAP_TYPE_HASH, GR_PROCESSES, struct gr_process_id, struct gr_process);
GR_MAP(gr_calls, BPF_MAP_TYPE_HASH, GR_THREADS, gr_u32, struct gr_call);
GR_MAP(gr_uring_reads, BPF_MAP_TYPE_HASH, GR_URING_READS, gr_u64, struct gr_uring_read);
GR_MAP(gr_bios, BPF_MAP_TYPE_HASH, GR_BIOS, gr_u64, struct gr_bio);
GR_MAP(gr_windows, BPF_MAP_TYPE_LRU_HASH, GR_WINDOWS, struct gr_window_key, struct gr_window);

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} gr_ring SEC(".maps");

GR_INLINE struct gr_control* gr_control(void) {
  gr_u32 zero = 0;
  return bpf_map_lookup_elem(&gr_controls, &zero);
}

GR_INLINE struct gr_tally* gr_tally(void) {
  gr_u32 zero = 0;
  return bpf_map_lookup_elem(&gr_tallies, &zero);
}

/* Atomic: a program may run on top of another one on the same CPU. */
#define GR_TALLY(member)                              \
  do {                                                \
    struct gr_tally* gr_t = gr_tally();               \
    if (gr_t) __sync_fetch_and_add(&gr_t->member, 1); \
  } while (0)

#endif
