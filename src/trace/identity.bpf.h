/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who, and which file: the keys under which everything is counted, and, at first sight, the name of
 * the file and the command of the process. */
#ifndef GRAPNEL_TRACE_IDENTITY_BPF_H
#define GRAPNEL_TRACE_IDENTITY_BPF_H

#include "hooks/kernel/process_number.bpf.h"
#include "trace/maps.bpf.h"

enum {
  GR_S_IFMT = 0170000,
  GR_S_IFREG = 0100000,
  GR_S_IFBLK = 0060000,
  /* Super blocks whose files have no data on any device. */
  GR_MAGIC_PROC = 0x9fa0,
  GR_MAGIC_SYSFS = 0x62656572,
  GR_MAGIC_CGROUP2 = 0x63677270,
  GR_MAGIC_DEBUGFS = 0x64626720,
  GR_MAGIC_TRACEFS = 0x74726163
};

/* --- Processes --- */

GR_INLINE struct task_struct* gr_task(void) {
  return (struct task_struct*)bpf_get_current_task_btf();
}

GR_INLINE void gr_identify_process(struct gr_process_id* id) {
  struct task_struct* task = gr_task();
  id->start_ns = task->group_leader->start_boottime;
  id->tgid = bpf_get_current_pid_tgid() >> 32;
  id->kind = task->flags & GR_PF_KTHREAD ? GR_PROCESS_KERNEL : GR_PROCESS_USER;
}

/* Number of the calling process in the caller's PID namespace; 0: it is not seen there. */
GR_INLINE gr_u32 gr_visible_pid(const struct gr_control* control) {
  return gr_number_in(control->namespace_address, control->namespace_level);
}

/* 1: the calling process is none that is asked for. */
GR_INLINE gr_u64 gr_is_ignored(const struct gr_control* control) {
  gr_u32 tgid = bpf_get_current_pid_tgid() >> 32;
  if (tgid == control->own_tgid) return 1;
  return control->pid && gr_visible_pid(control) != control->pid;
}

/* The same for the process that a kernel thread works for. Its number is known from when it had the
 * pages added, or else it was none that is asked for. */
GR_INLINE gr_u64 gr_is_owner_ignored(const struct gr_control* control,
                                     const struct gr_process_id* owner) {
  if (owner->tgid == control->own_tgid) return 1;
  if (!control->pid) return 0;
  struct gr_process_id key = *owner;
  key.kind = GR_PROCESS_USER;
  struct gr_process* process = bpf_map_lookup_elem(&gr_processes, &key);
  return !process || process->pid != control->pid;
}

/* `anew`: a program has been executed perhaps, and the command is another. */
GR_SUBPROGRAM int gr_see_process(struct gr_process_id* id, gr_u64 anew) {
  GR_PROVE(id);
  struct gr_process_id key = *id;
  struct gr_control* control = gr_control();
  if (!control || (!anew && bpf_map_lookup_elem(&gr_processes, &key))) return 0;
  struct gr_process process = {.pid = gr_visible_pid(control)};
  struct task_struct* leader = BPF_CORE_READ(gr_task(), group_leader);
  bpf_probe_read_kernel_str(process.command, sizeof process.command,
                            (void*)((gr_u64)leader + bpf_core_field_offset(leader->comm)));
  if (bpf_map_update_elem(&gr_processes, &key, &process, 0)) GR_TALLY(lost_names);
  return 0;
}

/* --- Files --- */

/* Several members that lie near each other are read at once, if that is where this kernel has
 * them: decided while loading. */
#define GR_HEAD(size)  \
  struct {             \
    gr_u8 bytes[size]; \
  }
#define GR_IN_HEAD(head, type, member) \
  (bpf_core_field_offset(type, member) + sizeof(((type*)0)->member) <= sizeof head.bytes)
#define GR_MEMBER(head, type, member) \
  (*(typeof(((type*)0)->member)*)((head)->bytes + bpf_core_field_offset(type, member)))

struct gr_inode_members {
  struct super_block* super;
  gr_u64 number;
  gr_u32 device; /* of a device's own inode */
  gr_u16 kind;
};

GR_INLINE void gr_read_inode(struct inode* inode, struct gr_inode_members* m) {
  GR_HEAD(80) head;
  if (GR_IN_HEAD(head, struct inode, i_mode) && GR_IN_HEAD(head, struct inode, i_sb) &&
      GR_IN_HEAD(head, struct inode, i_ino) && GR_IN_HEAD(head, struct inode, i_rdev)) {
    bpf_probe_read_kernel(&head, sizeof head, inode);
    m->super = GR_MEMBER(&head, struct inode, i_sb);
    m->number = GR_MEMBER(&head, struct inode, i_ino);
    m->device = GR_MEMBER(&head, struct inode, i_rdev);
    m->kind = GR_MEMBER(&head, struct inode, i_mode) & GR_S_IFMT;
    return;
  }
  m->super = BPF_CORE_READ(inode, i_sb);
  m->number = BPF_CORE_READ(inode, i_ino);
  m->device = BPF_CORE_READ(inode, i_rdev);
  m->kind = BPF_CORE_READ(inode, i_mode) & GR_S_IFMT;
}

/* 1: the inode is one of the kinds that are traced, and `id` says which. */
GR_INLINE gr_u64 gr_identify_inode(struct inode* inode, struct gr_file_id* id) {
  struct gr_control* control = gr_control();
  struct gr_inode_members m = {};
  gr_read_inode(inode, &m);
  if (!control || (m.kind != GR_S_IFREG && m.kind != GR_S_IFBLK)) return 0;
  id->is_block = m.kind == GR_S_IFBLK;
  if (id->is_block) {
    id->inode = 0;
    id->device = m.device;
    return 1;
  }
  struct super_block* super = m.super;
  id->inode = m.number;
  id->device = BPF_CORE_READ(super, s_dev);
  gr_u64 magic = BPF_CORE_READ(super, s_magic);
  return control->pseudo ||
         (magic != GR_MAGIC_PROC && magic != GR_MAGIC_SYSFS && magic != GR_MAGIC_CGROUP2 &&
          magic != GR_MAGIC_DEBUGFS && magic != GR_MAGIC_TRACEFS);
}

/* 1: the filter by name keeps the file out. */
GR_INLINE gr_u64 gr_is_filtered(const struct gr_control* control, const struct gr_file_id* id) {
  if (!control->filter) return 0;
  struct gr_name* name = bpf_map_lookup_elem(&gr_names, id);
  if (!name) return control->only_wanted;
  return name->state == GR_NAME_UNWANTED;
}

/* 1: the file is one of those that are asked for, as far as that is decided: only these count in
 * what belongs to no row, from which nothing could be taken out later. */
GR_INLINE gr_u64 gr_is_chosen(const struct gr_control* control, const struct gr_file_id* id) {
  if (!control->filter) return 1;
  struct gr_name* name = bpf_map_lookup_elem(&gr_names, id);
  return name && name->state == GR_NAME_WANTED;
}

struct gr_path_walk {
  struct gr_name* name;
  gr_u64 dentry, mount; /* addresses; mount: of struct vfsmount, 0: not known */
};

static long gr_walk_up(gr_u64 i, struct gr_path_walk* w) {
  struct dentry* dentry = (struct dentry*)w->dentry;
  struct vfsmount* mount = (struct vfsmount*)w->mount;
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  if (mount && BPF_CORE_READ(mount, mnt_root) == dentry) {
    struct mount* whole = (struct mount*)(w->mount - bpf_core_field_offset(struct mount, mnt));
    struct mount* above = BPF_CORE_READ(whole, mnt_parent);
    if (above == whole) {
      w->name->complete = 1;
      w->name->cut = 0;
      return 1;
    }
    w->dentry = (gr_u64)BPF_CORE_READ(whole, mnt_mountpoint);
    w->mount = (gr_u64)above + bpf_core_field_offset(struct mount, mnt);
    return 0;
  }
  if (!parent || parent == dentry) {
    w->name->cut = 0;
    return 1;
  }
  gr_u64 at = *(volatile gr_u32*)&w->name->bytes;
  if (at >= GR_NAME_BYTES) return 1;
  GR_OPAQUE(at);
  at &= GR_NAME_BYTES - 1;
  long bytes =
      bpf_probe_read_kernel_str(w->name->parts + at, GR_NAME_SLACK, BPF_CORE_READ(dentry, name));
  if (bytes <= 0) return 1;
  w->name->bytes = at + bytes;
  w->dentry = (gr_u64)parent;
  return 0;
}

/* Keeps the name that begins at this dentry. `mount` 0: it will lack what is above its file
 * system. */
GR_SUBPROGRAM int gr_keep_name(struct gr_file_id* id, gr_u64 dentry, gr_u64 mount, gr_u32 state) {
  GR_PROVE(id);
  struct gr_file_id key = *id;
  gr_u32 zero = 0;
  struct gr_name* name = bpf_map_lookup_elem(&gr_name_scratch, &zero);
  if (!name) return 0;
  /* Cut, until the walk has come to an end. */
  name->state = state;
  name->complete = 0;
  name->cut = 1;
  name->bytes = 0;
  struct gr_path_walk w = {.name = name, .dentry = dentry, .mount = mount};
  if (dentry) bpf_loop(GR_NAME_PARTS, gr_walk_up, &w, 0);
  if (bpf_map_update_elem(&gr_names, &key, name, 0)) GR_TALLY(lost_names);
  return 0;
}

/* One of the names of an inode, where no open file is at hand. */
GR_INLINE gr_u64 gr_alias_of(struct inode* inode) {
  gr_u64 node = (gr_u64)BPF_CORE_READ(inode, first);
  return node ? node - bpf_core_field_offset(struct dentry, d_alias) : 0;
}

/* `file` may be 0; `anew`: it has just been opened, its name may be another than it was. */
GR_SUBPROGRAM int gr_see_file(struct gr_file_id* id, gr_u64 file, gr_u64 inode, gr_u64 anew) {
  GR_PROVE(id);
  struct gr_file_id key = *id;
  struct gr_name* known = bpf_map_lookup_elem(&gr_names, &key);
  struct file* open = (struct file*)file;
  if (known && !anew && (known->complete || !file)) return 0;
  gr_u32 state = known ? known->state : GR_NAME_UNDECIDED;
  if (open)
    return gr_keep_name(&key, (gr_u64)BPF_CORE_READ(open, dentry), (gr_u64)BPF_CORE_READ(open, mnt),
                        state);
  return gr_keep_name(&key, inode ? gr_alias_of((struct inode*)inode) : 0, 0, state);
}

#endif
