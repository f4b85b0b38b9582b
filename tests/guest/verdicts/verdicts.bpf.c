/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
 *
 * Attempts of which docs/hooks.md tells the outcome: to shrink what read() gives to a reader that
 * knows nothing of us, and to read a file's bytes without any page arithmetic. Each program is
 * loaded on its own; most kernels refuse most of them, and how they say so is the result. */
#include <linux/bpf.h>
/* Kernel headers come after the types that they need. */
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <bpf/bpf_core_read.h>

#include "verdicts.h"

char LICENSE[] SEC("license") = "GPL";

#define GR_KERNEL __attribute__((preserve_access_index))

typedef unsigned int u32;
typedef unsigned long long u64;

struct task_struct {
  u32 tgid;
} GR_KERNEL;
struct pt_regs {
  unsigned long ax, dx, si;
} GR_KERNEL;
struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
} GR_KERNEL;
struct file {
  void* f_op;
} GR_KERNEL;
struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  u32 fd;
  struct file* file;
} GR_KERNEL;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct verdict_shared);
} shared SEC(".maps");

extern int bpf_dynptr_from_file(struct file* file, u32 flags,
                                struct bpf_dynptr* made) __weak __ksym;
extern int bpf_dynptr_file_discard(struct bpf_dynptr* made) __weak __ksym;
extern struct file* bpf_get_task_exe_file(struct task_struct* task) __weak __ksym;
extern void bpf_put_file(struct file* file) __weak __ksym;

static __always_inline struct verdict_shared* get_shared(void) {
  u32 zero = 0;
  return bpf_map_lookup_elem(&shared, &zero);
}

/* --- Shrinking: our own read() of VERDICT_READ_BYTES shall return the text and its size --- */

static __always_inline struct pt_regs* user_registers(void) {
  return (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
}

static __always_inline int is_our_read(struct verdict_shared* all) {
  if (!all || bpf_get_current_pid_tgid() >> 32 != all->tgid) return 0;
  u64 count = 0;
  bpf_probe_read_kernel(&count, sizeof count, &user_registers()->dx);
  return count == VERDICT_READ_BYTES;
}

/* What the program should have read() return: the size of the text once it is in the buffer. */
static __always_inline int give_text(struct verdict_shared* all) {
  char text[] = VERDICT_TEXT;
  u64 buffer = 0;
  bpf_probe_read_kernel(&buffer, sizeof buffer, &user_registers()->si);
  all->runs++;
  all->error = bpf_probe_write_user((void*)buffer, text, sizeof text - 1);
  return all->error ? 0 : sizeof text - 1;
}

SEC("fmod_ret/vfs_read") int fmod_ret_vfs_read(void* context) {
  struct verdict_shared* all = get_shared();
  return is_our_read(all) ? give_text(all) : 0;
}

SEC("fmod_ret/security_file_permission") int fmod_ret_security(void* context) {
  struct verdict_shared* all = get_shared();
  return is_our_read(all) ? give_text(all) : 0;
}

SEC("fmod_ret/__x64_sys_read") int fmod_ret_sys_read(void* context) {
  struct verdict_shared* all = get_shared();
  return is_our_read(all) ? give_text(all) : 0;
}

SEC("kprobe/__x64_sys_read") int override_sys_read(struct pt_regs* context) {
  struct verdict_shared* all = get_shared();
  if (is_our_read(all)) bpf_override_return(context, give_text(all));
  return 0;
}

SEC("kprobe/vfs_read") int override_vfs_read(struct pt_regs* context) {
  struct verdict_shared* all = get_shared();
  if (is_our_read(all)) bpf_override_return(context, give_text(all));
  return 0;
}

/* The end of a file: 0 means "go on" to fmod_ret, so that only this one can say it. */
SEC("kprobe/__x64_sys_read") int override_end_of_file(struct pt_regs* context) {
  struct verdict_shared* all = get_shared();
  if (!is_our_read(all)) return 0;
  all->runs++;
  bpf_override_return(context, 0);
  return 0;
}

/* Returning another value than 0 from fexit. */
SEC("fexit/vfs_read") int fexit_returns(void* context) { return 7; }

/* Writing the return value where system calls keep it. */
SEC("tp_btf/sys_exit") int write_registers(u64* context) {
  struct pt_regs* registers = (struct pt_regs*)context[0];
  registers->ax = 7;
  return 0;
}

/* After the copy: other bytes in the buffer, the count stays. */
SEC("raw_tp/sys_exit") int write_buffer(u64* context) {
  struct verdict_shared* all = get_shared();
  if (is_our_read(all)) give_text(all);
  return 0;
}

/* --- Reading a file by a dynptr on it --- */

struct sum_context {
  struct verdict_shared* all;
  u64 sum;
};

static long add_byte(u32 i, struct sum_context* c) {
  c->sum += c->all->chunk[i & (VERDICT_CHUNK_BYTES - 1)];
  return 0;
}

static __always_inline void sum_file(struct bpf_dynptr* bytes, struct verdict_shared* all) {
  struct sum_context context = {all, 0};
  for (u32 i = 0; i < VERDICT_MOST_CHUNKS; i++) {
    long failed =
        bpf_dynptr_read(all->chunk, VERDICT_CHUNK_BYTES, bytes, i * VERDICT_CHUNK_BYTES, 0);
    if (failed) {
      all->error = failed;
      break;
    }
    bpf_loop(VERDICT_CHUNK_BYTES, add_byte, &context, 0);
    all->bytes += VERDICT_CHUNK_BYTES;
  }
  all->sum = context.sum;
  all->runs++;
}

static __always_inline void sum_trusted_file(struct file* file, struct verdict_shared* all) {
  struct bpf_dynptr bytes;
  all->error = bpf_dynptr_from_file(file, 0, &bytes);
  if (!all->error) sum_file(&bytes, all);
  bpf_dynptr_file_discard(&bytes);
}

/* Here the file cannot be read yet: the kernel grants that right behind the hook. */
SEC("lsm.s/file_open") int BPF_PROG(dynptr_lsm_open, struct file* file) {
  struct verdict_shared* all = get_shared();
  if (all && bpf_get_current_pid_tgid() >> 32 == all->tgid && all->runs == 0)
    sum_trusted_file(file, all);
  return 0;
}

SEC("lsm.s/file_ioctl") int BPF_PROG(dynptr_lsm, struct file* file) {
  struct verdict_shared* all = get_shared();
  if (all && bpf_get_current_pid_tgid() >> 32 == all->tgid && all->runs == 0)
    sum_trusted_file(file, all);
  return 0;
}

SEC("iter.s/task_file") int dynptr_iter_sleepable(struct bpf_iter__task_file* context) {
  struct verdict_shared* all = get_shared();
  struct file* file = context->file;
  if (all && file && (int)context->fd == all->fd) sum_trusted_file(file, all);
  return 0;
}

SEC("iter/task_file") int dynptr_iter(struct bpf_iter__task_file* context) {
  struct verdict_shared* all = get_shared();
  struct file* file = context->file;
  if (all && file && (int)context->fd == all->fd) sum_trusted_file(file, all);
  return 0;
}

SEC("fentry/vfs_read") int BPF_PROG(dynptr_fentry, struct file* file) {
  struct verdict_shared* all = get_shared();
  if (all && bpf_get_current_pid_tgid() >> 32 == all->tgid && all->runs == 0)
    sum_trusted_file(file, all);
  return 0;
}

/* Of our own program file: the only one that a syscall program can get at by itself. */
SEC("syscall") int dynptr_syscall(void* context) {
  struct verdict_shared* all = get_shared();
  struct file* file = bpf_get_task_exe_file(bpf_get_current_task_btf());
  if (!file) return 0;
  if (all) sum_trusted_file(file, all);
  bpf_put_file(file);
  return 0;
}
