/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
 *
 * Finds out how the address of a page's bytes follows from the address of its struct page:
 *     bytes = 64 * struct page + constant        (x86-64, 4 KiB pages, a struct page of 64 bytes)
 * both regions being randomised at boot. User space has put pages of known bytes into a pipe and
 * knows the physical number of the first one. The direct map begins at a multiple of 1 GiB at or
 * below the address of our own page table (mm->pgd), which lies in it; so the candidates are few.
 *
 * The kernel's variables page_offset_base and vmemmap_base would say it, too, but finding them in
 * /proc/kallsyms takes longer than this search, and many kernels do not list them. */
#include "hooks/kernel/page_search.h"
#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/words.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct gr_search {
  struct gr_page_search* request;
  gr_u64 top;  /* highest candidate */
  gr_u64 page; /* address of the first struct page */
  gr_u64 buffers, tail, mask;
  gr_u64 at; /* of a page's bytes */
};

struct gr_found_bytes {
  gr_u64 word[GR_SEARCH_WORDS];
};

GR_INLINE gr_u64 gr_differ(gr_u64 address, const gr_u64* wanted) {
  struct gr_found_bytes found;
  if (bpf_probe_read_kernel(&found, sizeof found, (void*)address)) return 1;
  gr_u64 difference = 0;
#pragma unroll
  for (int i = 0; i < GR_SEARCH_WORDS; i++) difference |= found.word[i] ^ wanted[i];
  return difference;
}

static long gr_try_base(gr_u64 i, struct gr_search* s) {
  gr_u64 address = s->top - (i << GR_SEARCH_STEP_BITS) + s->request->first_frame * 4096;
  if (gr_differ(address, s->request->words[0])) return 0;
  s->request->found = 1;
  s->request->constant = address - s->page * 64;
  return 1;
}

GR_INLINE gr_u64 gr_page_in_pipe(struct gr_search* s, gr_u64 number) {
  gr_u64 size = bpf_core_type_size(struct pipe_buffer);
  struct pipe_buffer* buffer =
      (struct pipe_buffer*)(s->buffers + ((s->tail + number) & s->mask) * size);
  return (gr_u64)BPF_CORE_READ(buffer, page);
}

SEC("syscall") int gr_find_page_constant(struct gr_page_search* request) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task_btf();
  struct file** files = BPF_CORE_READ(task, files, fdt, fd);
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof file, files + request->pipe_fd);
  struct pipe_inode_info* pipe = BPF_CORE_READ(file, private_data);
  struct gr_search s = {.request = request,
                        .buffers = (gr_u64)BPF_CORE_READ(pipe, bufs),
                        .tail = BPF_CORE_READ(pipe, tail),
                        .mask = BPF_CORE_READ(pipe, ring_size) - 1};
  gr_u64 table = (gr_u64)BPF_CORE_READ(task, mm, pgd);
  s.top = table >> GR_SEARCH_STEP_BITS << GR_SEARCH_STEP_BITS;
  s.page = gr_page_in_pipe(&s, 0);
  bpf_loop(GR_SEARCH_STEPS, gr_try_base, &s, 0);
  if (!request->found) return 0;
#pragma unroll
  for (int i = 0; i < GR_SEARCH_PAGES; i++) {
    gr_u64 address = gr_page_in_pipe(&s, i) * 64 + request->constant;
    request->right_pages += gr_differ(address, request->words[i]) == 0;
  }
  return 0;
}
