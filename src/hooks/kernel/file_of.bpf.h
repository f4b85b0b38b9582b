/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* From a descriptor to what the kernel knows of the file. */
#ifndef GRAPNEL_HOOKS_KERNEL_FILE_OF_BPF_H
#define GRAPNEL_HOOKS_KERNEL_FILE_OF_BPF_H

#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"

/* The file behind descriptor `fd` of the calling process; NULL if there is none. */
GR_INLINE struct file* gr_file_of(gr_u32 fd) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task_btf();
  struct fdtable* table = BPF_CORE_READ(task, files, fdt);
  if (fd >= BPF_CORE_READ(table, max_fds)) return 0;
  struct file** files = BPF_CORE_READ(table, fd);
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof file, files + fd);
  return file;
}

/* The same in programs that may follow the kernel's pointers themselves (tp_btf, fexit, syscall,
 * raw tracepoints): no calls but one. */
GR_INLINE struct file* gr_own_file(gr_u32 fd) {
  struct fdtable* table = ((struct task_struct*)bpf_get_current_task_btf())->files->fdt;
  struct file* file = 0;
  if (fd >= table->max_fds) return 0;
  bpf_probe_read_kernel(&file, sizeof file, table->fd + fd);
  return file;
}

#endif
