/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What watch.bpf.c needs of the kernel: only the members that it touches, relocated against the
 * kernel's own types when it is loaded (CO-RE). A watch lives long, so that reading all of these
 * types once costs nothing; lower/bpf/kernel.bpf.h is for programs that are loaded per query.
 *
 *   file.f_mapping, f_pos, f_flags; fdtable.fd, max_fds     since 2.6
 *   folio.mapping, index                                    since 5.16 (7b230db3b8d3)
 *   folio._nr_pages, before 6.15 _folio_nr_pages            5.16 .. 5.19 have neither
 *   pageflags.PG_head                                       16 in 6.1, 6 since 6.8
 *   task_struct.start_boottime                              since 5.5 (cf25e24db61c)
 *   task_struct.thread_pid, pid.level, pid.numbers          since 4.19 */
#ifndef GRAPNEL_WATCH_KERNEL_TYPES_BPF_H
#define GRAPNEL_WATCH_KERNEL_TYPES_BPF_H

#include <linux/types.h>
/* Kernel headers come after the types that they need. */
#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "lower/op_abi.h"

enum {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_NOEXIST = 1,
  BPF_F_MMAPABLE = 1024,
  BPF_RB_FORCE_WAKEUP = 2
};

#define GR_KERNEL __attribute__((preserve_access_index))

struct address_space {
  void* host;
} GR_KERNEL;

struct file {
  struct address_space* f_mapping;
  long long f_pos;
  gr_u32 f_flags;
} GR_KERNEL;

struct fdtable {
  gr_u32 max_fds;
  struct file** fd;
} GR_KERNEL;

struct files_struct {
  struct fdtable* fdt;
} GR_KERNEL;

struct pid_namespace {
  gr_u32 level;
} GR_KERNEL;

struct upid {
  int nr;
  struct pid_namespace* ns;
} GR_KERNEL;

struct pid {
  gr_u32 level;
  struct upid numbers[1];
} GR_KERNEL;

struct task_struct {
  struct files_struct* files;
  struct task_struct* group_leader;
  struct pid* thread_pid;
  gr_u64 start_boottime;
  gr_u32 flags;
  char comm[16];
} GR_KERNEL;

struct folio {
  struct address_space* mapping;
  unsigned long index;
} GR_KERNEL;

struct folio___counted {
  gr_u32 _nr_pages, _folio_nr_pages; /* one of them */
} GR_KERNEL;

enum pageflags { PG_head = 6 };

struct pt_regs {
  unsigned long di, si, dx, r10, orig_ax;
} GR_KERNEL;

struct bpf_raw_tracepoint_args {
  gr_u64 args[3];
};

#endif
