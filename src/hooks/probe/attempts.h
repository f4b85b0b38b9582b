// Attempts to load and attach BPF programs that do nothing. What was attached is detached again
// before a function returns: everything hangs on descriptors that are closed.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <string>

namespace grapnel::hooks::probe {

struct Answer {
  bool ok = false;
  std::string words;  ///< why not; empty if ok

  static Answer yes() { return {true, {}}; }
  static Answer no(std::string words) { return {false, std::move(words)}; }
  static Answer from_errno(int error_number);
};

/// fentry, fexit, fmod_ret on a function, tp_btf on a tracepoint's type, an LSM hook, an iterator.
Answer try_tracing(bpf_prog_type type, bpf_attach_type attach, uint32_t btf_id);
Answer try_raw_tracepoint(const std::string& name);
/// A classic tracepoint, whose number only tracefs knows.
Answer try_classic_tracepoint();
Answer try_kprobe(const std::string& function);
Answer try_kprobe_multi(const std::string& function);
Answer try_sk_msg();
/// Loads and runs it.
Answer try_syscall_program();
/// Is the helper known to programs of that type?
Answer try_helper(bpf_prog_type type, bpf_func_id helper);

/// A function of the kernel that programs may call: loads a program that calls it.
enum class KfuncCall : uint8_t {
  rdonly_cast,       ///< (0, `argument`) in a syscall program
  cast_to_kern_ctx,  ///< (context) in an sk_msg program
  dynptr_from_file,  ///< (file, 0, &dynptr) in lsm/file_open; discard is `argument`
};
Answer try_kfunc(KfuncCall call, uint32_t function_id, uint32_t argument, uint32_t attach_id);

}  // namespace grapnel::hooks::probe
