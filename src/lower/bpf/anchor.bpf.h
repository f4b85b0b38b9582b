/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Between an anchor (the program that sits at some place in the kernel's I/O stack and lists bytes
 * there: hooks/<hook>/<hook>.bpf.c) and a record template (what is done with them: csv.bpf.c,
 * lines.bpf.c, fixed.bpf.c). They are two modules until the op is compiled, so that each anchor
 * works with each kind of records and lies beside the code that loads it.
 *
 * Two phases: the anchor fills worker->segments, then gr_do_segments works them off. Nothing of the
 * op ever runs inside a loop of the anchor: the kernel allows 8 frames and 512 bytes of stack. */
#ifndef GRAPNEL_LOWER_BPF_ANCHOR_BPF_H
#define GRAPNEL_LOWER_BPF_ANCHOR_BPF_H

#include "lower/bpf/kernel.bpf.h"
#include "lower/bpf/verifier.bpf.h"
#include "lower/bpf/worker.h"

/* --- Defined by the record template --- */

/* The memory of a worker; NULL if there is none of that number. */
struct gr_worker* gr_worker_of(gr_u32 number);

/* Works off worker->segments, one after the other, as the next bytes of the file behind
 * worker->file_offset. Stops at the first trouble (worker->status), and, with no trouble, in front
 * of a segment that gr_copy_in says has gone: what was done shows in worker->bytes. */
int gr_do_segments(struct gr_worker* worker);

/* --- Defined by the anchor --- */

enum gr_copied {
  GR_COPIED = 0,
  GR_GONE = 1,   /* these bytes are no longer the file's: not counted, no trouble */
  GR_FAULTED = 2 /* they cannot be read */
};

/* Copies `bytes` bytes (at most GR_PAGE_BYTES, as the verifier can see) of the segment to `to`.
 * Where the anchor holds no reference to the page it proves afterwards that the copy is what it
 * was meant to be. */
gr_u64 gr_copy_in(struct gr_worker* worker, void* to, gr_u64 bytes,
                  const struct gr_segment* segment);

/* --- For both --- */

/* Begins a list of segments. The result is 0, which the verifier takes for unknown: to be what a
 * loop's context holds at first. That of 6.1 looks at a loop's callback only once, with these
 * values, and cuts out what they do not reach; later ones look again. */
GR_INLINE gr_u64 gr_begin_list(struct gr_worker* worker) {
  GR_IN_MEMORY(worker->segment_count) = 0;
  return GR_IN_MEMORY(worker->segment_count);
}

/* The first trouble stays: it is the one to be reported. */
GR_INLINE void gr_fail(struct gr_worker* worker, enum gr_status status) {
  if (!worker->status) worker->status = status;
}

#endif
