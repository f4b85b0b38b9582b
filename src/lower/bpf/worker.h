/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a BPF program and the session in user space share: the memory of one worker (the value of
 * one element of the map `gr_workers`, mapped into user space too), its group table, and what the
 * program hands out record by record.
 *
 * A worker is named in the request, never found by CPU: programs of type syscall can be preempted
 * and can migrate. One worker is used by one thread at a time, so nothing here is atomic; user
 * space touches it only between runs.
 *
 * What is used for each record comes first: BPF's loads reach 32 KiB from a pointer without another
 * instruction. */
#ifndef GRAPNEL_LOWER_BPF_WORKER_H
#define GRAPNEL_LOWER_BPF_WORKER_H

#include "lower/op_abi.h"

enum {
  GR_PAGE_BYTES = 4096,
  GR_SLACK_BYTES = 512, /* behind the page: loads and 64-byte windows run over its end */
  GR_DATA_BYTES = 2 * GR_PAGE_BYTES + GR_SLACK_BYTES,
  GR_PADDING_BYTES = 256,
  GR_GROUP_BYTES = 64,  /* text is looked at in groups of 64 bytes: one bit each in a word */
  GR_MAX_ENDS = 8192,   /* record ends of one page; at most 4096 are real, the mask needs a power */
  GR_MAX_FIELDS = 4096, /* as limits::kColumns */
  GR_MAX_SEGMENTS = 512,  /* pieces of at most a page that one run works off */
  GR_OUT_BYTES = 1 << 20, /* records handed out by one run */
  GR_GROUP_WORDS = 65536, /* size of a worker's group table */
  GR_MAX_GROUPS = 4096,
};

/* Bytes in the kernel's memory that are to be worked on. */
struct gr_segment {
  gr_u64 address;
  gr_u32 bytes;        /* at most GR_PAGE_BYTES */
  gr_u32 starts;       /* block: 1: a record starts here, at `index` in the file, and not behind the
                          bytes before */
  gr_u64 folio, index; /* of a page that nobody holds for us: what it must still be afterwards */
};

enum gr_status {
  GR_STATUS_OK = 0,
  GR_STATUS_OUT_FULL,  /* no room to hand a record out */
  GR_STATUS_FAULT,     /* a page could not be read */
  GR_STATUS_SEGMENTS,  /* more pages than GR_MAX_SEGMENTS */
  GR_STATUS_PIPE,      /* the descriptor is not the pipe it should be */
  GR_STATUS_INCOMPLETE /* a loop ended before its work was done */
};

/* Why a record is handed out. */
enum gr_out_kind {
  GR_OUT_SELECTED = 1, /* row query: it passes the filter */
  GR_OUT_ESCAPED = 2,  /* the exact form must do it */
  GR_OUT_LONG = 3      /* escaped, too long for the program's buffer: its bytes do not follow */
};

/* One record handed out; its bytes without the line end follow (not for GR_OUT_LONG), then the next
 * header at a multiple of 8. */
struct gr_out {
  gr_u64 file_offset;
  gr_u32 bytes;
  gr_u32 kind;
};

/* Bytes of `data`. */
struct gr_piece {
  gr_u16 begin, size;
};

/* A record being cut into fields; positions in `data`. */
struct gr_walk {
  gr_u64 bits; /* delimiters of the group at `at` that are still to be noted */
  gr_u64 at;
  gr_u64 end;         /* of the record */
  gr_u64 field_begin; /* of the field whose end is looked for */
};

/* A constant being looked for in a field; positions in `data`. */
struct gr_search {
  gr_u64 from, size;  /* of the constant, in parameters.text */
  gr_u64 first, last; /* its first and its last byte, eight times each */
  gr_u64 at;          /* of the next places to be looked at */
  gr_u64 places;      /* where it may still begin, from there on */
  gr_u64 group, bits; /* candidates that are not looked at yet: bit i for the place group + i */
  gr_u64 found;       /* 1: it is there */
};

/* Element of the map `gr_workers`. "in": set by user space before a run; "out": read after it;
 * "kept": from run to run, set by user space before an extent. */
struct gr_worker {
  gr_u64 file_offset; /* kept: of data[GR_PAGE_BYTES], i.e. of the next byte to come */
  gr_u64 carry;       /* kept: bytes of an unfinished record in front of it */
  gr_u64 long_record; /* kept: 1 if that record is too long to carry */
  gr_u64 long_begin;  /* kept: where it begins in the file */
  gr_u64
      inside_quotes;  /* kept: quoted text: all ones if the next byte lies inside quotes, else 0 */
  gr_u64 after_quote; /* kept: quoted text: where a closing quote stands whose right side is not
                         known yet: 1 the last byte, 2 the last but one (then a CR); else 0 */
  gr_u64 irregular;   /* kept: 1: a quote of the page or the carry stands where none may */
  gr_u64 had_quotes;  /* kept: quoted text: 1: the page before had quotes */
  gr_u64 has_quotes;  /* quoted text: 1: the page or the carry may have quotes, see `quotes` */
  gr_u64 records;     /* kept: looked at, without blank ones; also those handed out */
  gr_u64 bytes;       /* kept: consumed */
  gr_u64 generation;  /* kept: marks the group table's entries that are in use */
  gr_u64 groups;      /* kept: their number */
  gr_u64 status;      /* out: enum gr_status; the first trouble of the extent stays */
  gr_u64 longest_run_ns; /* kept: of gr_do_segments */
  gr_u64 out_bytes;      /* in: 0; out: bytes of the out area that are in use */
  gr_u32 number;         /* in: of this worker: its key in all maps */
  gr_u32 unused;
  gr_u64 mapping; /* in: address_space of the file, for anchors that must know it from others */
  gr_u64 limit;   /* in: where in the file the bytes of this run end */
  gr_u64 page_constant; /* in: address of a page's bytes = address of its struct page * 64 + this */
  gr_u64 inode;         /* in: the file's, for its size now */
  gr_u64 batch;         /* page cache: the folios that the kernel has just got for the read, or 0 */
  gr_u64 leaf, leaf_number; /* page cache: node with the entries of 64 pages, and of which ones */

  /* Scratch of the program. */
  gr_u64 page_bytes;
  gr_u64 end_count;
  gr_u64 rest_begin; /* behind the last record that ends in the page */
  gr_u64 record_begin, record_size;
  gr_u64 row_begin; /* in `data`: of the next record */
  gr_u64 row_end;   /* fixed: behind the last whole record */
  gr_u64 next_end;  /* text: number of the next record's end in `ends` */
  struct gr_walk walk;
  struct gr_search search;
  gr_u64 field_count;
  gr_u64 quote_limit;              /* where the record's first quote stands, or all ones */
  gr_u64 view[GR_GROUP_BYTES / 8]; /* steps of a long row of delimiters: see csv_row.bpf.h */
  gr_u64 to_walk_count;
  gr_u64 number_value, number_flags;
  gr_u64 long_keys;
  gr_u64 probe_at, probe_found;
  gr_u64 key[1 + GR_MAX_KEYS * 5]; /* an entry without its slots: see groups.bpf.h */

  gr_u64 temporaries[GR_MAX_TEMPORARIES];
  struct gr_parameters parameters; /* in */
  gr_u64 state[GR_MAX_SLOTS];      /* kept: slots of the only group (no keys) */

  /* The text at hand: a record's beginning [GR_PAGE_BYTES - carry, GR_PAGE_BYTES), then a page. */
  gr_u8 data[GR_DATA_BYTES];
  gr_u64 quotes[GR_DATA_BYTES / GR_GROUP_BYTES]; /* bit i of word g: quote at data[64 * g + i] */
  gr_u8 padding[GR_PADDING_BYTES];               /* in: two line feeds, then zeroes */
  gr_u16
      ends[GR_MAX_ENDS + GR_GROUP_BYTES]; /* offsets in `data` of the line feeds that end records */

  struct gr_piece
      to_walk[GR_MAX_ENDS];          /* records of the page that are to be walked field by field */
  gr_u16 field_begin[GR_MAX_FIELDS]; /* of a record that is walked field by field */
  gr_u16 field_end[GR_MAX_FIELDS];
  struct gr_segment segments[GR_MAX_SEGMENTS]; /* filled by the anchor, worked off by the parser */
  gr_u64 segment_count;
  gr_u16
      group_list[GR_MAX_GROUPS]; /* kept: entries of the group table in use, in order of making */
};

/* Elements of the maps `gr_out_area` and `gr_group_area`, one per worker. */
struct gr_out_area {
  gr_u8 bytes[GR_OUT_BYTES + 3 * GR_PAGE_BYTES]; /* the last record may begin before GR_OUT_BYTES */
};
struct gr_group_area {
  gr_u64 words[GR_GROUP_WORDS];
};

#endif
