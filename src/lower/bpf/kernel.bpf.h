/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What our BPF programs need of the kernel: only the members that they touch, relocated at load
 * time (CO-RE). Not vmlinux.h: its debug info would make every run-time compilation five times
 * dearer.
 *
 * Each member: since when, and what to do when it changes.
 *   pipe_inode_info.head, tail, ring_size, bufs
 *       since 5.5 (8cefc107ca54)
 *       inside a union since 6.14 (3d252160b818), which CO-RE looks through
 *   pipe_buffer.page, offset, len                 since 2.6
 *   task_struct.files, files_struct.fdt, fdtable.fd   since 2.6
 *   file.private_data, file.f_mapping, file.f_pos since 2.6
 *   address_space.i_pages                         an xarray since 4.20 (b93b016313b3)
 *   folio                                         since 5.16 (7b230db3b8d3)
 *       .flags is a struct of one word since 6.18, which is as good here; pages of a large one in
 *       _folio_nr_pages, since 6.15 in _nr_pages
 *   pageflags                                     an enumeration since 2.6.26 (e2683181524d)
 *       its numbers change (PG_uptodate 2 -> 3 in 6.4 .. 6.12, PG_head 16 -> 6)
 *   folio_batch                                   since 5.17 (10331795fb79)
 *   bio.bi_iter                                   since 3.14 (4f024f3797c4)
 *   request.cmd_flags                             the operation in its low 8 bits since 4.8
 *                                                 (ef295ecf090d)
 *   page.compound_head                            since 4.4 (1d798ca3f164)
 *       compound_info since 7.1
 *   sk_msg.sg                                     since 4.20 (604326b41a6f)
 *   file.f_inode                                  since 3.9; f_path, f_flags since 2.6
 *   dentry.d_u.d_alias                            since 3.19 (946e51f2bf37)
 *       without the d_u by 7.2; d_name in a union since 6.15, which CO-RE looks through
 *   mount.mnt, mnt_parent, mnt_mountpoint         since 3.3
 *   task_struct.start_boottime                    since 5.5 (cf25e24db61c)
 *   task_struct.thread_pid                        since 4.19
 *   pid.level, numbers                            since 2.6.24
 *   bio.bi_opf                                    since 4.8; bi_bdev since 5.12
 *   io_kiocb.cqe.res                              since 5.19
 *   iomap_dio.iocb                                since 4.10
 *
 * Members of members (bio.bi_iter.bi_size) stand here under their last name, and arrays or structs
 * as their first word: programs are relocated against an excerpt of the kernel's types that
 * kernel_btf.cpp makes so. */
#ifndef GRAPNEL_LOWER_BPF_KERNEL_BPF_H
#define GRAPNEL_LOWER_BPF_KERNEL_BPF_H

#include <linux/types.h>
/* Kernel headers come after the types that they need. */
#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "lower/op_abi.h"

enum {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_SOCKMAP = 15,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_F_MMAPABLE = 1024
};

#define GR_KERNEL __attribute__((preserve_access_index))

struct page {
  gr_u64 compound_head;
} GR_KERNEL;

struct pipe_buffer {
  struct page* page;
  gr_u32 offset, len;
} GR_KERNEL;

struct pipe_inode_info {
  gr_u32 head, tail, ring_size;
  struct pipe_buffer* bufs;
} GR_KERNEL;

struct vfsmount {
  struct dentry* mnt_root;
} GR_KERNEL;

struct file {
  void* private_data;
  struct address_space* f_mapping;
  gr_u64 f_pos;
  struct inode* f_inode;
  gr_u32 f_flags;
  struct vfsmount* mnt; /* f_path.* */
  struct dentry* dentry;
} GR_KERNEL;

struct dentry {
  struct dentry* d_parent;
  const char* name; /* d_name.name */
  gr_u64 d_alias;   /* d_u.d_alias, a node of the list inode.i_dentry */
} GR_KERNEL;

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  gr_u64 mnt; /* the struct vfsmount in it */
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

struct upid {
  gr_u32 nr;
  void* ns;
} GR_KERNEL;

struct pid {
  gr_u32 level;
  gr_u64 numbers; /* the first of level + 1 struct upid */
} GR_KERNEL;

struct task_struct {
  struct files_struct* files;
  struct mm_struct* mm;
  struct task_struct* group_leader;
  struct pid* thread_pid;
  gr_u64 start_boottime;
  gr_u32 flags;
  gr_u32 status; /* thread_info.status */
  gr_u64 comm;   /* the first 8 of 16 bytes */
} GR_KERNEL;

struct address_space {
  struct inode* host;
  void* xa_head; /* i_pages.xa_head */
} GR_KERNEL;

struct block_device {
  gr_u32 bd_dev;
} GR_KERNEL;

struct super_block {
  struct block_device* s_bdev;
  gr_u32 s_dev;
  gr_u64 s_magic;
} GR_KERNEL;

struct inode {
  gr_u64 i_size, i_ino;
  struct super_block* i_sb;
  struct address_space* i_mapping;
  void* first; /* i_dentry.first: the dentry.d_alias of one of its names */
  gr_u32 i_rdev;
  gr_u16 i_mode;
} GR_KERNEL;

struct xa_node {
  gr_u8 shift;
  gr_u64 slots; /* the first of 64 */
} GR_KERNEL;

struct folio {
  gr_u64 flags;
  struct address_space* mapping;
  gr_u64 index;
  gr_u32 _nr_pages, _folio_nr_pages; /* one of them */
} GR_KERNEL;

enum pageflags { PG_uptodate = 3, PG_head = 6 };

struct folio_batch {
  gr_u8 nr;
  gr_u64 folios; /* the first one */
} GR_KERNEL;

struct bio_vec {
  struct page* bv_page;
  gr_u32 bv_len, bv_offset;
} GR_KERNEL;

struct bio {
  struct bio* bi_next;
  struct bio_vec* bi_io_vec;
  gr_u64 bi_sector; /* bi_iter.* */
  gr_u32 bi_size, bi_idx, bi_bvec_done;
  gr_u32 bi_opf;
  struct block_device* bi_bdev;
  void* bi_private;
} GR_KERNEL;

struct request {
  struct bio* bio;
  gr_u32 cmd_flags;
} GR_KERNEL;

struct sk_msg {
  gr_u32 start, end, size; /* sg.* */
  gr_u64 data;             /* sg.data, the first of its scatterlists */
} GR_KERNEL;

struct scatterlist {
  gr_u64 page_link;
  gr_u32 offset, length;
} GR_KERNEL;

struct pt_regs {
  gr_u64 di, si, dx, r10, r8, ax, orig_ax;
} GR_KERNEL;

struct kiocb {
  struct file* ki_filp;
  gr_u64 ki_pos;
} GR_KERNEL;

struct iomap_dio {
  struct kiocb* iocb;
} GR_KERNEL;

struct io_kiocb {
  struct file* file;
  gr_u8 opcode;
  gr_u32 res; /* cqe.res */
} GR_KERNEL;

/* What a read or write request of io_uring has in the first words of its struct io_kiocb. */
struct io_rw {
  gr_u64 ki_pos; /* kiocb.ki_pos */
  gr_u32 len;
} GR_KERNEL;

#endif
