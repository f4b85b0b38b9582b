/* What a native template (csv.c, lines.c, fixed.c) and the runner in user space
 * (native_program.cpp) promise each other. Plain C, included by both.
 *
 * gr_scan works off `data` from `position` on, a chunk at a time: finds the record ends, runs gr_op
 * on each record, and lists the records that need the plain interpreter. It returns when the data
 * has no further whole record, when the list is full, or at bytes whose quoting it does not
 * understand. */
#ifndef GRAPNEL_LOWER_NATIVE_ABI_H
#define GRAPNEL_LOWER_NATIVE_ABI_H

#include "lower/op_abi.h"

enum {
  /* Bytes looked at before their records are worked off: they and the two arrays below stay in the
   * level-1 cache. */
  GR_CHUNK_BYTES = 16 << 10,
  /* Records put aside (selected or escaped) in one call; more than a chunk can have. */
  GR_MAX_LISTED = 2 * GR_CHUNK_BYTES,
  /* The cache of group addresses, direct mapped. */
  GR_GROUP_CACHE_ENTRIES = 1024,
  GR_GROUP_CACHE_WORDS = GR_MAX_KEYS + 2
};

enum gr_scan_status {
  GR_SCAN_END = 0,  /* no further whole record begins at `position` within the data */
  GR_SCAN_LIST = 1, /* the list is full: work it off and go on */
  GR_SCAN_ODD = 2,  /* from `position` on exact rules are needed, at least up to `odd_position` */
  GR_SCAN_LONG = 3  /* the record at `position` is longer than a chunk */
};

/* A record that the runner does; positions are in `data`. Without the line feed, but perhaps with a
 * carriage return at the end. */
struct gr_listed {
  gr_u32 begin;
  gr_u32 size;
};

/* One key of a record as gr_op handed it over. */
struct gr_key_value {
  gr_u64 word;         /* numbers; bits of a double */
  struct gr_text text; /* text */
  gr_u64 is_null;
};

/* Calls back into grapnel. */
struct gr_services {
  /* Slots of the group with these keys (GR_SHAPE_KEYS of them), NULL if the table is full. */
  gr_u64* (*find_group)(void* context, const struct gr_key_value* keys);
  void (*sum_double)(gr_u64* slots, double value);
  void (*extreme_text)(void* context, gr_u64* slots, const struct gr_text* text, gr_u32 is_max);
  gr_u64 (*like)(const struct gr_text* text, const gr_u8* pattern, gr_u64 pattern_bytes,
                 gr_u32 escape);
  /* Field -> double by the exact rules; `quote` may stand around it. Flags, value by pointer. */
  gr_u64 (*parse_double)(const gr_u8* text, gr_u64 bytes, gr_u32 quote, double* value);
};

/* One cached group: its key in words (text of up to 7 bytes in one), then the NULL bits, then the
 * address of its slots (0: entry free). */
struct gr_group_entry {
  gr_u64 word[GR_GROUP_CACHE_WORDS];
};

struct gr_scan {
  /* Set by the runner. */
  const struct gr_parameters* parameters;
  const struct gr_services* services;
  void* context;
  gr_u64* slots; /* op without keys */
  const gr_u8* data;
  gr_u64 size;        /* below 2^31; kSlackBytes behind may be read */
  gr_u64 file_offset; /* of data[0] */

  /* In and out. */
  gr_u64 position;
  gr_u64 records; /* incremented by the records that gr_op did itself */

  /* Out. */
  gr_u64 odd_position;
  gr_u32 listed_count;
  gr_u32 reserved;

  /* Scratch. */
  struct gr_listed listed[GR_MAX_LISTED];
  gr_u32 ends[GR_CHUNK_BYTES + 64];           /* of records in the chunk: positions of line feeds */
  gr_u64 delimiters[GR_CHUNK_BYTES / 64 + 4]; /* csv: a bit for each delimiter outside quotes */
  struct gr_group_entry groups[GR_GROUP_CACHE_ENTRIES];
};

/* The entry of a compiled object. Returns enum gr_scan_status. */
typedef gr_u64 gr_scan_function(struct gr_scan* scan);
#define GR_SCAN_ENTRY "gr_scan_records"

#endif
