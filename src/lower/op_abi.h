/* What the generated op and the record templates promise each other. Plain C, read by the templates
 * (compiled to LLVM bitcode for x86-64 and for BPF), by the code generator and by the loaders.
 *
 * A template walks records. For each it calls the generated, always inlined
 *
 *     gr_u64 gr_op(struct gr_row *row, struct gr_run *run)      -> enum gr_outcome
 *
 * and the generator reaches the record, the constants and the state only through the functions
 * below, which the template defines. They are linked with the op, inlined, and whatever is left is
 * dropped. The generator passes constants for `field`, `scale`, `index`..., so that they fold.
 *
 * Decide, then act: gr_op first evaluates filter, keys and arguments; it calls gr_state or gr_group
 * and stores only when nothing escaped. An escaped record leaves no trace; the exact form
 * (program::RecordRunner) does it. Escaping is always allowed and never wrong, only slow. A record
 * is rejected (GR_DONE) as soon as one conjunct of the filter is false or NULL without an escape.
 *
 * All exact numbers (also HUGEINT and wide decimals) are 64-bit words here: what does not fit
 * escapes.
 *
 * The template includes op_math.h too: arithmetic that both targets need in different forms. */
#ifndef GRAPNEL_LOWER_OP_ABI_H
#define GRAPNEL_LOWER_OP_ABI_H

#if defined(__BPF__) || defined(__bpf__)
#define GR_BPF 1
typedef unsigned long long gr_u64;
typedef long long gr_s64;
typedef unsigned int gr_u32;
typedef unsigned short gr_u16;
typedef unsigned char gr_u8;
#else
#include <stdint.h>
typedef uint64_t gr_u64;
typedef int64_t gr_s64;
typedef uint32_t gr_u32;
typedef uint16_t gr_u16;
typedef uint8_t gr_u8;
#endif

enum gr_outcome {
  GR_DONE = 0,   /* rejected by the filter, or added to the state */
  GR_SELECT = 1, /* row query: the record passes */
  GR_ESCAPE = 2  /* cannot be done here: the exact form must */
};

/* What a loader returns (bits). With GR_FLAG_NULL the value is 0 (text: empty); with GR_FLAG_ESCAPE
 * it is any value that is safe to compute on. Both may be set; the escape wins. */
enum gr_flag {
  GR_FLAG_NULL = 1,
  GR_FLAG_ESCAPE = 2 /* not of the expected form: quotes, too many digits, malformed, ... */
};

enum {
  GR_MAX_PARAMETERS = 256,
  GR_TEXT_PARAMETER_BYTES = 4096,
  GR_MAX_KEYS = 16,
  GR_MAX_SLOTS = 256,     /* 64-bit slots of one group (state/layout.h) */
  GR_BPF_TEXT_BYTES = 32, /* BPF: longest text constant and longest text key */
  GR_BPF_MAX_KEY_WORDS = 32,
  GR_MAX_TEMPORARIES = 1024 /* BPF: 64-bit words for gr_temporary */
};

/* Constants of the query, so that another date or price does not compile again. */
struct gr_parameters {
  gr_u64 word[GR_MAX_PARAMETERS];      /* 64-bit values; text: offset in `text` << 32 | length */
  gr_u8 text[GR_TEXT_PARAMETER_BYTES]; /* bytes of text constants, each padded with zeroes to a
                                          multiple of 8 */
};

/* A text value. What `position` means is the template's business (native: an address; BPF: an
 * offset in its scratch). The bytes live as long as the record. */
struct gr_text {
  gr_u64 position;
  gr_u64 length;
};

/* Kinds of group keys, see GR_SHAPE_KEY_KIND. */
enum gr_key_kind {
  GR_KEY_INT64 = 0,  /* boolean, integers, decimals, dates that fit 64 bits: one word */
  GR_KEY_INT128 = 1, /* HUGEINT, UBIGINT, wide decimals: one word here too, sign extended in the
                        encoded key of state/partial.h */
  GR_KEY_TEXT = 2,
  GR_KEY_DOUBLE = 3 /* native only; canonical bits */
};

/* --------------------------------------------------------------------------------------------------
 * Generated, for the template.
 */
struct gr_row; /* the template's: the record at hand */
struct gr_run; /* the template's: parameters, state, group table of this worker */

gr_u64 gr_op(struct gr_row* row, struct gr_run* run);

/* Facts about the table and the op. Always called with constant arguments; folds to a constant. */
enum gr_shape_item {
  GR_SHAPE_DELIMITER,     /* csv */
  GR_SHAPE_QUOTE,         /* csv; 0: no quoting */
  GR_SHAPE_COLUMNS,       /* columns of the table */
  GR_SHAPE_DELIMITERS,    /* csv: delimiters of a well-formed record: columns - 1, or columns if
                             each record ends with one */
  GR_SHAPE_NEEDED,        /* 1 if the op reads column `index`; a csv record whose fields are not
                             looked at need not be checked */
  GR_SHAPE_NEEDS_FIELDS,  /* 1 if it reads any column */
  GR_SHAPE_LAST_NEEDED,   /* highest column that it reads */
  GR_SHAPE_RECORD_BYTES,  /* fixed: size of a record */
  GR_SHAPE_FIELD_OFFSET,  /* fixed: offset of column `index` in the record */
  GR_SHAPE_FIELD_BYTES,   /* fixed: its size */
  GR_SHAPE_FIELD_SIGNED,  /* fixed: 1 if it is sign extended */
  GR_SHAPE_KEYS,          /* number of group keys; 0: one group */
  GR_SHAPE_KEY_KIND,      /* enum gr_key_kind of key `index` */
  GR_SHAPE_SLOTS,         /* 64-bit slots of one group */
  GR_SHAPE_SELECTS,       /* 1: row query, gr_op is a filter */
  GR_SHAPE_REQUIRED_TEXT, /* lines, 1 + number of a text parameter: a line without this text is
                             rejected before anything else of the op happens; 0: there is none */
  GR_SHAPE_NODES          /* how large the op is: nodes of its plan */
};
gr_u64 gr_shape(gr_u32 item, gr_u32 index);

/* --------------------------------------------------------------------------------------------------
 * Defined by the template. Not static (the op is another module until it is linked); the linked
 * module is internalised, so none of them survives.
 */
#define GR_TEMPLATE __attribute__((always_inline))

/* Constants. `index` < GR_MAX_PARAMETERS. */
gr_u64 gr_parameter(struct gr_run* run, gr_u32 index);

/* Loaders: flags (enum gr_flag) as result, value through the pointer (a local of the op).
 * csv: `field` counts columns from 0. Fields that an exact parse would accept in other spellings
 * ("+5", " 7", "1e3", "1994-1-1", quoted) may all escape. */

/* Optional '-', 1..18 digits. The op itself checks the range of the narrower types. */
gr_u64 gr_load_integer(struct gr_row* row, gr_u32 field, gr_s64* value);
/* Optional '-', digits, optionally a point and at most `scale` digits; value x 10^scale, at most 18
 * digits in all. More integer digits than `precision` - `scale` must escape. 18 at most is fine for
 * wider decimals: the rest escapes. */
gr_u64 gr_load_decimal(struct gr_row* row, gr_u32 field, gr_u32 precision, gr_u32 scale,
                       gr_s64* value);
/* YYYY-MM-DD, a valid day, as days since 1970-01-01. */
gr_u64 gr_load_date(struct gr_row* row, gr_u32 field, gr_s64* days);
/* csv only: the same text as a key that orders like the dates, for comparison with constants (which
 * are passed as such keys). Nibbles 0Y0Y0Y0Y000M0MDD: see gr_date_order_key(). An invalid day must
 * escape here too, else a wrong file would give an answer. */
gr_u64 gr_load_date_order(struct gr_row* row, gr_u32 field, gr_s64* key);
gr_u64 gr_load_boolean(struct gr_row* row, gr_u32 field, gr_s64* value); /* 0 or 1 */
/* Unquoted bytes. Quoted fields: without the quotes, or an escape. */
gr_u64 gr_load_text(struct gr_row* row, gr_u32 field, struct gr_text* text);
/* NULL or not, nothing else: returns flags. */
gr_u64 gr_load_null(struct gr_row* row, gr_u32 field);
#ifndef GR_BPF
gr_u64 gr_load_double(struct gr_row* row, gr_u32 field, double* value);
#endif

/* Text against text constant number `parameter`; both targets. Result 0 or 1. */
gr_u64 gr_text_equal(struct gr_run* run, const struct gr_text* text, gr_u32 parameter);
gr_u64 gr_text_starts_with(struct gr_run* run, const struct gr_text* text, gr_u32 parameter);
gr_u64 gr_text_ends_with(struct gr_run* run, const struct gr_text* text, gr_u32 parameter);
gr_u64 gr_text_contains(struct gr_run* run, const struct gr_text* text, gr_u32 parameter);
#ifndef GR_BPF
gr_u64 gr_text_like(struct gr_run* run, const struct gr_text* text, gr_u32 parameter,
                    gr_u32 escape);
/* <0, 0, >0 by bytes. */
gr_s64 gr_text_compare(struct gr_run* run, const struct gr_text* a, const struct gr_text* b);
/* A constant as a text value. */
void gr_text_parameter(struct gr_run* run, gr_u32 parameter, struct gr_text* text);
#endif

#ifdef GR_BPF
/* Memory for values that a large op cannot hold on the stack. `index` < GR_MAX_TEMPORARIES. */
gr_u64* gr_temporary(struct gr_run* run, gr_u32 index);
#endif

/* State. The op stores into the slots itself (state/layout.h), also the first two: first offset
 * (minimum) and number of records. Slots are 8 byte aligned. */

/* Byte offset of the record in the file. */
gr_u64 gr_row_offset(struct gr_row* row);
/* Slots of the one group of an op without keys. Never NULL. */
gr_u64* gr_state(struct gr_run* run);
/* Keys are handed over one by one, index 0 first, then gr_group finds or makes the group. `is_null`
 * is 0 or 1. gr_key_text may fail (too long for this table): result 1 means escape. */
void gr_key_int(struct gr_run* run, gr_u32 index, gr_s64 value, gr_u64 is_null);
gr_u64 gr_key_text(struct gr_run* run, gr_u32 index, const struct gr_text* text, gr_u64 is_null);
/* NULL: no room, the record escapes. A new group starts as zeroes with first offset ~0. */
gr_u64* gr_group(struct gr_run* run);
#ifndef GR_BPF
void gr_key_double(struct gr_run* run, gr_u32 index, double value, gr_u64 is_null);
/* Adds to the exact sum at slots[slot] (state/double_sum.h), and counts it. */
void gr_sum_double(struct gr_run* run, gr_u64* slots, gr_u32 slot, double value);
/* Keeps the smaller (larger) text at slots[slot], and counts it. */
void gr_extreme_text(struct gr_run* run, gr_u64* slots, gr_u32 slot, const struct gr_text* text,
                     gr_u32 is_max);
#endif

/* The key of gr_load_date_order: decimal digits in nibbles, "YYYY-MM-DD" -> 0Y0Y0Y0Y000M0MDD, which
 * is the byte-swapped text minus its zeroes, with the day in the place of the second dash. Years
 * 0..9999. */
static inline gr_s64 gr_date_order_key(gr_u32 year, gr_u32 month, gr_u32 day) {
  return (gr_s64)((gr_u64)(year / 1000) << 56 | (gr_u64)(year / 100 % 10) << 48 |
                  (gr_u64)(year / 10 % 10) << 40 | (gr_u64)(year % 10) << 32 |
                  (gr_u64)(month / 10) << 16 | (gr_u64)(month % 10) << 8 | (day / 10) << 4 |
                  day % 10);
}

#endif
