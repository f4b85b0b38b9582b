/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What our BPF programs need of the kernel: only the members that they touch, relocated at load
 * time (CO-RE). Not vmlinux.h: its debug info would make every run-time compilation five times
 * dearer.
 *
 * Each member: since when, and what to do when it changes.
 *   pipe_inode_info.head, tail, ring_size, bufs   since 5.5 (commit 8cefc107ca54); inside a union
 * since 6.14 (3d252160b818), which CO-RE looks through pipe_buffer.page, offset, len since 2.6
 *   task_struct.files, files_struct.fdt, fdtable.fd, file.private_data, file.f_mapping   since 2.6
 *   address_space.i_pages                         an xarray since 4.20 (b93b016313b3)
 *   folio                                         since 5.16 (7b230db3b8d3); .flags is a struct of
 * one word since 6.18, which is as good here; pages of a large one in _folio_nr_pages, since 6.15
 * in _nr_pages pageflags                                     an enumeration since 2.6.26
 * (e2683181524d); its numbers change (PG_uptodate 2 -> 3 in 6.4 .. 6.12, PG_head 16 -> 6)
 *   folio_batch                                   since 5.17 (10331795fb79)
 *   bio.bi_iter                                   since 3.14 (4f024f3797c4)
 *   request.cmd_flags                             the operation in its low 8 bits since 4.8
 *                                                 (ef295ecf090d)
 *   page.compound_head                            since 4.4 (1d798ca3f164); compound_info since 7.1
 *   sk_msg.sg                                     since 4.20 (604326b41a6f)
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
  BPF_MAP_TYPE_SOCKMAP = 15,
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

struct file {
  void* private_data;
  struct address_space* f_mapping;
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

struct address_space {
  struct inode* host;
  void* xa_head; /* i_pages.xa_head */
} GR_KERNEL;

struct inode {
  gr_u64 i_size;
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
  gr_u64 di, si, dx, r10, ax, orig_ax;
} GR_KERNEL;

#endif
