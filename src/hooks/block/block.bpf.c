/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Anchor: a request of a block device that has been read, before its pages are handed to whoever
 * waits for them. The tracepoint block_rq_complete fires in blk_update_request() and where batches
 * are ended without it (blk_mq_end_request_batch, 5.16), both before the bios are touched. One of
 * four places is used; README.md beside this file says what each sees. Context: softirq or hard
 * interrupt, on top of any task. */
#include "hooks/block/block.h"
#include "hooks/block/request.bpf.h"
#include "hooks/kernel/file_of.bpf.h"

enum { GR_NO_LANE = 0xffffffff };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_range);
} gr_ranges SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, gr_u32);
  __type(value, struct gr_lane);
} gr_lanes SEC(".maps");

/* --- Cores --- */

/* The bytes to come do not follow those that this lane saw last: a new core begins. */
GR_SUBPROGRAM int gr_begin_core(struct gr_worker* worker, gr_u64 offset) {
  GR_PROVE(worker);
  gr_u32 number = worker->number;
  struct gr_lane* lane = bpf_map_lookup_elem(&gr_lanes, &number);
  if (!lane) return 0;
  gr_u64 count = lane->core_count;
  gr_u64 end = worker->long_record ? worker->long_begin : worker->file_offset - worker->carry;
  gr_u64 last = (count - 1) & (GR_LANE_CORES - 1);
  GR_OPAQUE(last);
  if (count) lane->cores[last].end = end;
  if (count >= GR_LANE_CORES) { /* never: gr_try_lane leaves room */
    gr_fail(worker, GR_STATUS_SEGMENTS);
    return 0;
  }
  gr_u64 n = count & (GR_LANE_CORES - 1);
  GR_OPAQUE(n);
  lane->cores[n].begin = offset;
  lane->core_count = count + 1;
  worker->file_offset = offset;
  worker->carry = worker->long_record = 0;
  worker->inside_quotes = worker->after_quote = worker->irregular = worker->had_quotes = 0;
  worker->data[GR_PAGE_BYTES - 1] = '\n'; /* a record starts here */
  return 0;
}

GR_TEMPLATE gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                              const struct gr_segment* segment) {
  if (segment->starts) {
    gr_begin_core(worker, segment->index);
    if (worker->status) return GR_GONE;
  }
  return bpf_probe_read_kernel(to, bytes, (void*)segment->address) ? GR_FAULTED : GR_COPIED;
}

/* --- Lanes --- */

/* 1: the lane is ours. In this order: user space first takes `armed` away, then waits until nobody
 * is in a lane. The exchange orders the two on our side. */
GR_INLINE gr_u64 gr_try_lane(struct gr_lane* lane, struct gr_worker* worker,
                             struct gr_range* range) {
  if (__sync_lock_test_and_set(&lane->busy, 1)) return 0;
  if (GR_IN_MEMORY(range->armed) && !worker->status &&
      lane->core_count + GR_BLOCK_PAGES <= GR_LANE_CORES && worker->out_bytes <= range->out_bytes)
    return 1;
  GR_IN_MEMORY(lane->busy) = 0;
  return 0;
}

struct gr_lane_choice {
  struct gr_range* range;
  gr_u64 offset;
  gr_u64 number; /* out */
};

/* The first round goes for the lane where the bytes at `offset` are the next. */
static long gr_choose_next_lane(gr_u64 i, struct gr_lane_choice* c) {
  gr_u64 n = i & (GR_RANGE_LANES - 1);
  GR_OPAQUE(n);
  gr_u32 number = c->range->lanes[n];
  struct gr_lane* lane = bpf_map_lookup_elem(&gr_lanes, &number);
  struct gr_worker* worker = gr_worker_of(number);
  if (!lane || !worker) return 0;
  if (i < GR_RANGE_LANES && worker->file_offset != c->offset) return 0;
  if (!gr_try_lane(lane, worker, c->range)) return 0;
  c->number = number;
  return 1;
}

/* A free lane of the range, or GR_NO_LANE. */
GR_INLINE gr_u32 gr_choose_lane(struct gr_range* range, gr_u64 offset) {
  struct gr_lane_choice c = {.range = range, .offset = offset, .number = GR_NO_LANE};
  bpf_loop(2 * GR_RANGE_LANES, gr_choose_next_lane, &c, 0);
  if (c.number == GR_NO_LANE) __sync_fetch_and_add(&range->missed.no_lane, 1);
  return c.number;
}

struct gr_range_search {
  gr_u64 index, end; /* pages of the request */
  gr_u64 number;     /* out: of the range */
};

static long gr_look_at_range(gr_u64 i, struct gr_range_search* s) {
  gr_u32 number = i;
  struct gr_range* range = bpf_map_lookup_elem(&gr_ranges, &number);
  if (!range) return 1;
  if (!range->armed || s->index >= range->end_page || s->end <= range->first_page) return 0;
  s->number = number;
  return 1;
}

/* The range that the pages [index, end) lie in, at least in part; NULL if there is none. */
GR_INLINE struct gr_range* gr_find_range(gr_u64 index, gr_u64 end) {
  struct gr_range_search s = {.index = index, .end = end, .number = GR_MAX_RANGES};
  bpf_loop(GR_MAX_RANGES, gr_look_at_range, &s, 0);
  gr_u32 number = s.number;
  return number < GR_MAX_RANGES ? bpf_map_lookup_elem(&gr_ranges, &number) : 0;
}

/* Lists what is to be computed of the request, whose first page is `index`, in a lane, whose number
 * it returns; GR_NO_LANE if there is nothing. */
GR_SUBPROGRAM gr_u32 gr_take_request(gr_u64 request, gr_u64 bytes, gr_u64 index) {
  gr_u32 zero = 0;
  struct gr_file* file = bpf_map_lookup_elem(&gr_file, &zero);
  if (!file) return GR_NO_LANE;
  gr_u64 pages = (bytes + GR_PAGE_BYTES - 1) >> GR_PAGE_SHIFT;
  struct gr_range* range = gr_find_range(index, index + pages);
  if (!range) return GR_NO_LANE;
  gr_u64 began = bpf_ktime_get_ns();
  gr_u32 number = gr_choose_lane(range, index << GR_PAGE_SHIFT);
  struct gr_lane* lane = bpf_map_lookup_elem(&gr_lanes, &number);
  struct gr_worker* worker = gr_worker_of(number);
  if (!lane || !worker) return GR_NO_LANE;
  lane->began_ns = began;
  worker->segment_count = 0;
  struct gr_request_place* at = &lane->at;
  at->bytes = bytes;
  at->bio = (gr_u64)BPF_CORE_READ((struct request*)request, bio);
  at->bio_bytes = at->now.bytes = 0;
  at->folio.address = 0;
  at->next_offset = lane->core_count ? worker->file_offset : ~0ull;
  struct gr_request_walk w = {.worker = worker,
                              .range = range,
                              .at = at,
                              .mapping = file->mapping,
                              .page_constant = file->page_constant};
  bpf_loop(GR_BLOCK_PAGES, gr_next_page, &w, 0);
  if (GR_IN_MEMORY(at->bytes)) __sync_fetch_and_add(&range->missed.too_large, 1);
  return number;
}

GR_SUBPROGRAM int gr_give_lane_back(gr_u32 number) {
  struct gr_lane* lane = bpf_map_lookup_elem(&gr_lanes, &number);
  if (!lane) return 0;
  gr_u64 ns = bpf_ktime_get_ns() - lane->began_ns;
  lane->run_ns += ns;
  if (ns > lane->longest_run_ns) lane->longest_run_ns = ns;
  __asm__ volatile("" ::: "memory");
  GR_IN_MEMORY(lane->busy) = 0;
  return 0;
}

GR_INLINE int gr_complete(const struct gr_completion* c) {
  gr_u64 index = gr_look_at(c->request, c->error, c->bytes);
  if (index == GR_NOT_OURS) return 0;
  gr_u32 number = gr_take_request(c->request, (gr_u32)c->bytes, index);
  if (number == GR_NO_LANE) return 0;
  struct gr_worker* worker = gr_worker_of(number);
  if (!worker) return 0;
  gr_do_segments(worker);
  gr_give_lane_back(number);
  return 0;
}

SEC("raw_tp/block_rq_complete") int gr_block(struct gr_completion* completion) {
  return gr_complete(completion);
}

SEC("tp_btf/block_rq_complete") int gr_block_typed(gr_u64* context) {
  struct gr_completion completion;
  return gr_read_completion(context, &completion) ? 0 : gr_complete(&completion);
}

SEC("fentry/blk_update_request") int gr_block_call(gr_u64* context) {
  struct gr_completion completion;
  return gr_read_completion(context, &completion) ? 0 : gr_complete(&completion);
}

SEC("kprobe/blk_update_request") int gr_block_probe(struct pt_regs* registers) {
  struct gr_completion completion = gr_completion_in(registers);
  return gr_complete(&completion);
}

/* What the kernel calls the file: device and inode from stat would be wrong on stacked file
 * systems. */
SEC("syscall") int gr_watch_file(struct gr_watch_request* request) {
  gr_u32 zero = 0;
  struct gr_file* watched = bpf_map_lookup_elem(&gr_file, &zero);
  struct file* file = gr_file_of(request->fd);
  if (!watched || !file) return 0;
  watched->page_constant = request->page_constant;
  watched->mapping = (gr_u64)BPF_CORE_READ(file, f_mapping);
  request->done = watched->mapping != 0;
  return 0;
}
