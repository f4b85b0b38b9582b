/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs in the kernel (watch.bpf.c) and the worker in user space (board_reader.cpp)
 * share: a bit for each page of a watched file that somebody else has read. Slots of bits are given
 * to the parts of the files that are read, so that a sparse file of any size needs as many as what
 * is read of it. */
#ifndef GRAPNEL_WATCH_BOARD_H
#define GRAPNEL_WATCH_BOARD_H

#include "lower/op_abi.h"

#ifdef __cplusplus
#define GR_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define GR_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

enum {
  GR_WATCH_FILES = 64, /* one for each statement; of those on the same file the first is used */
  GR_WATCH_PAGE_BITS = 12,
  GR_WATCH_SLOT_WORDS = 512, /* of 64 pages each: a slot stands for 128 MiB of a file */
  GR_WATCH_SLOT_WORD_BITS = 9,
  GR_WATCH_SLOT_PAGES = GR_WATCH_SLOT_WORDS * 64,
  /* An event of the page cache names the whole rest of a read, and comes again as the read gets
   * on: so much of it is marked at once. The end of the call marks what was left out. */
  GR_WATCH_EVENT_PAGES = 4096,
  GR_WATCH_MOST_WORDS = (1 << 13) + 2, /* of one call: 2 GiB, the most that read() gives */
  GR_WATCH_CPUS = 256,
  GR_WATCH_READERS = 16384,
  GR_WATCH_TIMED_EVENTS = 32, /* one of so many is timed */
  GR_WATCH_BELL_BYTES = 4096,
  GR_WATCH_COMM_BYTES = 16
};

struct gr_watch_control {
  gr_u64 self;      /* the watching process, as the kernel counts: its own reads are not seen */
  gr_u64 attribute; /* 1: count by process */
  gr_u64 asleep;    /* 1: the worker waits for the bell */
  gr_u64 slots;     /* there are */
  gr_u64 slots_used;
  gr_u64 lost_pages;   /* no slot was left for them */
  gr_u64 lost_readers; /* processes beyond GR_WATCH_READERS */
  gr_u64 pause;        /* of 256 events so many are left out */
};

struct gr_watch_file {
  gr_u64 pages;           /* the file's; none beyond them are marked */
  gr_u64 directory_begin; /* its first entry in the directory */
  gr_u64 fresh;           /* 1: some slot has new bits */
  gr_u64 asked_bytes;     /* that read calls of others returned */
  gr_u64 direct_bytes;    /* of them by O_DIRECT */
  gr_u64 audited_pages;   /* that only the end of a call showed */
  gr_u64 marked_pages;    /* each time that a bit was set */
  gr_u64 reserved;
};

struct gr_watch_slot {
  gr_u64 fresh; /* 1: it has new bits */
  gr_u64 file;
  gr_u64 first_page;
  gr_u64 reserved[5];
  gr_u64 words[GR_WATCH_SLOT_WORDS];
};

/* Cost, per CPU; approximate where programs interrupt each other. */
struct gr_watch_cpu {
  gr_u64 events;
  gr_u64 timed_events;
  gr_u64 timed_ns;
  gr_u64 longest_ns;
  gr_u64 reserved[4];
};

/* A process is known by its number and when it started: numbers come again. */
struct gr_watch_reader_key {
  gr_u64 started_ns;
  gr_u32 process;
  gr_u32 file;
};

struct gr_watch_reader {
  gr_u64 asked_bytes;  /* read calls returned to it */
  gr_u64 first_pages;  /* that it was the first to read since the watch began */
  gr_u64 caused_pages; /* that came into the page cache for it, read ahead included */
  gr_u64 cgroup;       /* id in the v2 hierarchy */
  gr_u32 number;       /* of the process, as the watching process counts; 0: it cannot see it */
  gr_u32 kernel_thread;
  char comm[GR_WATCH_COMM_BYTES];
};

/* Context of the program gr_watch_arm: descriptor `fd` of the calling process is watched as `file`,
 * unless it is watched already. */
struct gr_watch_arm {
  gr_u32 fd;
  gr_u32 file; /* in, out */
  gr_u32 done; /* out: 1 */
  gr_u32 reserved;
};

GR_STATIC_ASSERT(sizeof(struct gr_watch_control) == 64, "both sides lay it out alike");
GR_STATIC_ASSERT(sizeof(struct gr_watch_file) == 64, "both sides lay it out alike");
GR_STATIC_ASSERT(sizeof(struct gr_watch_slot) == 64 + 8 * GR_WATCH_SLOT_WORDS,
                 "both sides lay it out alike");
GR_STATIC_ASSERT(sizeof(struct gr_watch_cpu) == 64, "both sides lay it out alike");
GR_STATIC_ASSERT(sizeof(struct gr_watch_reader_key) == 16, "both sides lay it out alike");
GR_STATIC_ASSERT(sizeof(struct gr_watch_reader) == 56, "both sides lay it out alike");
GR_STATIC_ASSERT(GR_WATCH_SLOT_WORDS == 1 << GR_WATCH_SLOT_WORD_BITS, "used as a shift");

#endif
