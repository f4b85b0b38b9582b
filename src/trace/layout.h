/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs in the kernel (*.bpf.h, trace.bpf.c) and their loader share: keys, counters,
 * events. All types have fixed widths, and no padding that is not named. */
#ifndef GRAPNEL_TRACE_LAYOUT_H
#define GRAPNEL_TRACE_LAYOUT_H

#include "lower/op_abi.h"

enum {
  GR_NAME_BYTES = 512,     /* room for the parts of a path */
  GR_NAME_SLACK = 256,     /* so that the last part may begin anywhere below GR_NAME_BYTES */
  GR_NAME_PARTS = 40,      /* directories that a path walk looks at */
  GR_COMMAND_BYTES = 16,   /* TASK_COMM_LEN */
  GR_LATENCY_BUCKETS = 40, /* bucket n: [2^n, 2^(n+1)) ns */
  GR_REQUEST_BIOS = 1024,  /* of a block request that are looked at */
};

enum gr_layer { GR_LAYER_SYSCALL, GR_LAYER_CACHE, GR_LAYER_BLOCK, GR_LAYERS };

/* Whom something is charged to. */
enum gr_process_kind {
  GR_PROCESS_USER = 0,
  GR_PROCESS_KERNEL_FOR = 1, /* a kernel thread, for the process that the key names */
  GR_PROCESS_KERNEL = 2,     /* a kernel thread, for whom is not known */
  GR_PROCESS_UNKNOWN = 3,    /* submitted before the programs were attached, or there was no room */
  GR_PROCESS_LEFT_OUT = 4    /* of bios in flight: nobody is to be charged; never in a row */
};

/* A process: numbers are used again, the time of its start is not. */
struct gr_process_id {
  gr_u64 start_ns; /* since boot */
  gr_u32 tgid;     /* in the first PID namespace */
  gr_u32 kind;     /* enum gr_process_kind */
};

/* A file, as the kernel calls it: super block's device and inode. inode 0: no file is known; then
 * it is the device of the request. */
struct gr_file_id {
  gr_u64 inode;
  gr_u32 device;   /* dev_t of the kernel: major << 20 | minor */
  gr_u32 is_block; /* 1: a block device itself, which `device` names */
};

struct gr_count_key {
  struct gr_process_id process;
  struct gr_file_id file;
};

struct gr_counts {
  gr_u64 opens;
  gr_u64 calls;        /* read, pread, readv, preadv, io_uring reads, sendfile, splice */
  gr_u64 asked_bytes;  /* by them */
  gr_u64 read_bytes;   /* returned to the process */
  gr_u64 sent_bytes;   /* by sendfile, splice, copy_file_range: the process has not seen them */
  gr_u64 cached_bytes; /* of both, from pages that had been in the page cache before */
  gr_u64 direct_bytes; /* of read_bytes, past the page cache (O_DIRECT) */
  gr_u64 maps;         /* mmap calls */
  gr_u64 mapped_bytes; /* by them */
  gr_u64 faults;       /* of mapped pages, as the page cache saw them */
  gr_u64 added_bytes;  /* to the page cache */
  gr_u64 device_bytes; /* read from the device */
  gr_u64 requests;     /* that held any of them */
  gr_u64 failed_requests;
};

/* Element of gr_names, by file. Parts of the path, last one first, each ended with a zero. */
struct gr_name {
  gr_u32 state;    /* enum gr_name_state */
  gr_u32 bytes;    /* used in `parts` */
  gr_u32 complete; /* up to the root that the process sees; else up to that of the file system */
  gr_u32 cut;      /* directories are missing */
  gr_u8 parts[GR_NAME_BYTES + GR_NAME_SLACK];
};

/* With a filter by name, user space decides; until then the file's numbers are collected. */
enum gr_name_state { GR_NAME_UNDECIDED, GR_NAME_WANTED, GR_NAME_UNWANTED };

/* Element of gr_processes, by gr_process_id. */
struct gr_process {
  gr_u32 pid; /* in the caller's PID namespace; 0: it is not seen there */
  gr_u32 unused;
  gr_u8 command[GR_COMMAND_BYTES];
};

/* Element of gr_tallies, one per CPU: what belongs to no row. */
struct gr_tally {
  gr_u64 latency[GR_LAYERS][GR_LATENCY_BUCKETS];
  gr_u64 events;                  /* that were counted in a row, or sent to user space */
  gr_u64 requests;                /* read requests of block devices */
  gr_u64 requests_many_files;     /* that held more than one file */
  gr_u64 requests_many_processes; /* that more than one process had asked for */
  gr_u64 lost_events;             /* the ring was full */
  gr_u64 lost_counts;             /* of rows for which there was no room: in `others` */
  gr_u64 lost_calls;              /* of threads for which there was no room */
  gr_u64 lost_bios;               /* for which there was no room: charged to nobody known */
  gr_u64 lost_names;              /* of files or processes for which there was no room */
  struct gr_counts others;
};

/* Element 0 of gr_controls: what user space wants. */
struct gr_control {
  gr_u32 turn;              /* which of the two maps of counts is written */
  gr_u32 events;            /* 1: send events */
  gr_u32 pid;               /* only this process, in the caller's namespace; 0: all */
  gr_u32 only_wanted;       /* 1: only files in state GR_NAME_WANTED, or seen at an open */
  gr_u32 filter;            /* 1: files in state GR_NAME_UNWANTED are left out */
  gr_u32 pseudo;            /* 1: files of /proc, /sys and the like, too */
  gr_u32 namespace_level;   /* the caller's PID namespace: its depth, ... */
  gr_u32 own_tgid;          /* the caller, who is left out, ... */
  gr_u64 namespace_address; /* ... and where it is */
};

enum gr_event_kind {
  GR_EVENT_OPEN,
  GR_EVENT_READ,
  GR_EVENT_SEND,
  GR_EVENT_MAP,
  GR_EVENT_ADD, /* pages came into the page cache */
  GR_EVENT_FAULT,
  GR_EVENT_BLOCK /* one file's part of a block request */
};

struct gr_event {
  gr_u64 time_ns; /* since boot, without suspension */
  gr_u32 kind;    /* enum gr_event_kind */
  gr_u32 error;   /* errno */
  struct gr_process_id process;
  struct gr_file_id file;
  gr_u64 offset; /* in the file; ~0: not known */
  gr_u64 asked_bytes;
  gr_u64 bytes;
  gr_u64 cached_bytes;
  gr_u64 latency_ns;
  gr_u64 request; /* GR_EVENT_BLOCK: number that all parts of a request share */
};

/* Context of the syscall program gr_trace_begin: from now on. */
struct gr_begin_request {
  gr_u32 done; /* out: 1 */
  gr_u32 unused;
};

/* Context of the syscall program gr_trace_file: what the kernel calls the file behind `fd`. */
struct gr_file_request {
  gr_u32 fd;
  gr_u32 done; /* out: 1 */
  struct gr_file_id file;
};

#ifdef __cplusplus
#define GR_LAYOUT_ASSERT static_assert
#else
#define GR_LAYOUT_ASSERT _Static_assert
#endif
GR_LAYOUT_ASSERT(sizeof(struct gr_process_id) == 16, "a key has no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_file_id) == 16, "a key has no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_count_key) == 32, "a key has no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_counts) == 14 * 8, "only words: they are summed as such");
GR_LAYOUT_ASSERT(sizeof(struct gr_name) == 16 + GR_NAME_BYTES + GR_NAME_SLACK, "no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_process) == 24, "no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_event) == 96, "no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_control) == 40, "no padding");
GR_LAYOUT_ASSERT(sizeof(struct gr_tally) % 8 == 0, "only words: they are summed as such");
GR_LAYOUT_ASSERT((GR_NAME_BYTES & (GR_NAME_BYTES - 1)) == 0, "is used as a mask");

#endif
