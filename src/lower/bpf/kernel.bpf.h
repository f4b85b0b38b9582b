/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What our BPF programs need of the kernel: only the members that they touch, relocated at load
 * time (CO-RE). Not vmlinux.h: its debug info would make every run-time compilation five times
 * dearer.
 *
 * Each member: since when, and what to do when it changes.
 *   pipe_inode_info.head, tail, ring_size, bufs   since 5.5 (commit 8cefc107ca54); inside a union
 * since 6.14 (3d252160b818), which CO-RE looks through pipe_buffer.page, offset, len since 2.6
 *   task_struct.files, files_struct.fdt, fdtable.fd, file.private_data, file.f_op   since 2.6 */
#ifndef GRAPNEL_LOWER_BPF_KERNEL_BPF_H
#define GRAPNEL_LOWER_BPF_KERNEL_BPF_H

#include <linux/types.h>
/* Kernel headers come after the types that they need. */
#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "lower/op_abi.h"

enum { BPF_MAP_TYPE_ARRAY = 2, BPF_F_MMAPABLE = 1024 };

#define GR_KERNEL __attribute__((preserve_access_index))

struct page;

struct pipe_buffer {
  struct page* page;
  gr_u32 offset, len;
} GR_KERNEL;

struct pipe_inode_info {
  gr_u32 head, tail, ring_size;
  struct pipe_buffer* bufs;
} GR_KERNEL;

struct file {
  void* private_data;
} GR_KERNEL;

struct fdtable {
  gr_u32 max_fds;
  struct file** fd;
} GR_KERNEL;

struct files_struct {
  struct fdtable* fdt;
} GR_KERNEL;

struct mm_struct {
  void* pgd;
} GR_KERNEL;

struct task_struct {
  struct files_struct* files;
  struct mm_struct* mm;
} GR_KERNEL;

#endif
