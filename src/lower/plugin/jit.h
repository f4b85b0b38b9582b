/* C interface of libgrapnel-jit.so, the only part of grapnel that contains LLVM. It is opened when
 * a compiled object is not in the cache. No exception and no LLVM type passes over it.
 *
 * Thread-safe; compilations run one after the other. */
#ifndef GRAPNEL_LOWER_PLUGIN_JIT_H
#define GRAPNEL_LOWER_PLUGIN_JIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GRAPNEL_JIT_VERSION = 2 };

struct grapnel_jit_request {
  const void* template_bitcode; /* a record template, see op_abi.h */
  size_t template_size;
  const void* anchor_bitcode; /* BPF: the program that calls the template, see anchor.bpf.h */
  size_t anchor_size;
  const void* plan; /* lower::Plan::encode() */
  size_t plan_size;
  const char* keep;    /* native: names that stay visible, separated by spaces */
  const char* bpf_cpu; /* BPF: "v3" if NULL */
  int print_ir;        /* 1: the optimised module goes to standard error */
};

struct grapnel_jit_result {
  char* object; /* x86-64: relocatable ELF, small code model, PIC; BPF: ELF with BTF, no DWARF */
  size_t object_size;
  char* error; /* what failed, or NULL */
  double parse_ms, generate_ms, optimise_ms, emit_ms;
};

/* 0 and result->object, or -1 and result->error. The caller frees the result in both cases. */
int grapnel_jit_compile(const struct grapnel_jit_request* request,
                        struct grapnel_jit_result* result);
void grapnel_jit_free(struct grapnel_jit_result* result);
/* GRAPNEL_JIT_VERSION that the plugin was built with, the fingerprint of its code generator (the
 * program must have the same: the two agree about what slots and escapes mean), LLVM's version. */
int grapnel_jit_version(void);
const char* grapnel_jit_generator(void);
const char* grapnel_jit_llvm_version(void);

#ifdef __cplusplus
}
#endif
#endif
