/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What block.bpf.c and the sessions of the block hook share.
 *
 * Requests complete in any order, on any CPU, on top of whatever runs there. So an extent has a few
 * lanes: a lane is a worker (lower/bpf/worker.h) that one completion at a time may use. What a lane
 * has computed is a list of cores: [begin, end) of the file, begin and end of records. */
#ifndef GRAPNEL_HOOKS_BLOCK_BLOCK_H
#define GRAPNEL_HOOKS_BLOCK_BLOCK_H

#include "lower/op_abi.h"

enum {
  GR_BLOCK_PAGES = 64,  /* looked at in one completion: nobody can be scheduled meanwhile */
  GR_RANGE_LANES = 2,   /* of one extent: completions that may be computed at the same time */
  GR_LANE_CORES = 2048, /* that a lane can list until user space takes them */
  GR_MAX_RANGES = 32    /* extents watched at the same time by one load of the programs */
};

/* Whole records that a lane has computed. */
struct gr_core {
  gr_u64 begin, end; /* `end` of the last core of a lane is not set: it follows from the worker */
};

/* What a page is to the file: mapping and index of the folio that it belongs to, with the page's
 * place in it. */
struct gr_folio_at {
  gr_u64 address; /* of the folio's first struct page */
  gr_u64 mapping, index;
};

struct gr_vector {
  gr_u64 page;
  gr_u32 bytes, offset;
};

/* Where the walk over a request's pages is: in memory, not on the program's stack, since the
 * verifier would follow each value there. */
struct gr_request_place {
  gr_u64 bytes;         /* of the request, still to come */
  gr_u64 bio, vector;   /* addresses of the bio to come, and of the bio_vec at hand */
  gr_u64 bio_bytes;     /* of the bio at hand, still to come */
  struct gr_vector now; /* what is left of the bio_vec at hand */
  struct gr_folio_at folio;
  gr_u64 next_offset; /* in the file, of the byte that would continue what was listed last */
};

/* Element of the map gr_lanes, under the number of its worker. */
struct gr_lane {
  gr_u64 busy; /* 1: taken, by a completion or by user space (an atomic exchange) */
  gr_u64 core_count;
  gr_u64 began_ns;
  gr_u64 run_ns, longest_run_ns; /* of the completions computed here */
  struct gr_request_place at;    /* scratch of the program */
  struct gr_core cores[GR_LANE_CORES];
};

/* Completions of the range that were not computed, or not as a whole. */
struct gr_missed {
  gr_u64 no_lane;   /* completions: all lanes were in use, or full */
  gr_u64 too_large; /* completions of more than GR_BLOCK_PAGES pages: what follows is left */
};

/* Element of the map gr_ranges, under the number of its first lane: an extent that is watched. */
struct gr_range {
  gr_u64 armed; /* written last, and taken back first */
  gr_u64 first_page, end_page;
  gr_u64 end;        /* of the extent, in the file: the last page may have more */
  gr_u64 data_begin; /* fixed: where the first record of the file begins */
  gr_u64 out_bytes;  /* a lane with more bytes in its out area must be emptied first */
  gr_u32 lanes[GR_RANGE_LANES];
  struct gr_missed missed;
};

/* Element 0 of the map gr_file: the file of all ranges. */
struct gr_file {
  gr_u64 mapping;       /* address_space */
  gr_u64 page_constant; /* address of a page's bytes = address of its struct page * 64 + this */
};

/* Context of the program gr_watch_file. */
struct gr_watch_request {
  gr_u32 fd;   /* of the file, in the calling process */
  gr_u32 done; /* out: 1 */
  gr_u64 page_constant;
};

#endif
