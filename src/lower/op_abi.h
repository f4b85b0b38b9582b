/* What the generated op and the record templates promise each other. Plain C, read by the templates
 * (compiled to LLVM bitcode for x86-64 and for BPF), by the code generator and by the loaders.
 *
 * A template walks records; for each it calls the generated, always inlined
 *     u64 gr_op(struct gr_row *row, struct gr_run *run)
 * which returns one of GR_DONE, GR_SELECT, GR_ESCAPE. gr_op touches state only when it returns
 * GR_DONE, so an escaped record leaves no trace and is done by the exact form.
 *
 * gr_op gets at fields only by the loaders below, which every template defines as static
 * always-inline functions (constant `field`, so that the position arithmetic folds). */
#ifndef GRAPNEL_LOWER_OP_ABI_H
#define GRAPNEL_LOWER_OP_ABI_H

#ifdef __BPF__
typedef unsigned long long gr_u64;
typedef long long gr_s64;
typedef unsigned int gr_u32;
typedef unsigned char gr_u8;
#else
#include <stdint.h>
typedef uint64_t gr_u64;
typedef int64_t gr_s64;
typedef uint32_t gr_u32;
typedef uint8_t gr_u8;
#endif

enum gr_outcome {
  GR_DONE = 0,   /* rejected by the filter, or added to the state */
  GR_SELECT = 1, /* row query: the record passes */
  GR_ESCAPE = 2  /* cannot be done here: the exact form must */
};

enum gr_flag {
  GR_FLAG_NULL = 1,
  GR_FLAG_ESCAPE = 2 /* not of the expected form: quotes, too many digits, malformed, ... */
};

/* A 64-bit value (integers, scaled decimals, booleans, dates as days or as ordered keys). */
struct gr_int {
  gr_s64 value;
  gr_u64 flags;
};

enum {
  GR_MAX_PARAMETERS = 64,
  GR_TEXT_PARAMETER_BYTES = 1024
};

/* Constants of the query, so that another date or price does not compile again. */
struct gr_parameters {
  gr_u64 word[GR_MAX_PARAMETERS];
  gr_u8 text[GR_TEXT_PARAMETER_BYTES]; /* bytes of text constants; word[i] holds offset << 32 | length */
};

#endif
