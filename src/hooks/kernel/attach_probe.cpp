#include "hooks/kernel/attach_probe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <iterator>
#include <string>

#include "base/pretend.h"
#include "base/unique_fd.h"
#include "hooks/probe/attempts.h"

namespace grapnel::hooks::kernel {
namespace {

/// return 0;
constexpr bpf_insn kNothing[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                 {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};

Verdict verdict_of(const probe::Answer& answer, const std::string& what) {
  if (answer.ok) return Verdict::allow();
  return Verdict::refuse("cannot " + what + ": " + answer.words, "use another hook");
}

Verdict can_load_trampoline(const std::string& type, bpf_attach_type attach) {
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.expected_attach_type = attach;
  options.attach_btf_id = 1;  // no function: who may load such programs is told so
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "grapnel_probe", "GPL", kNothing,
                                       std::size(kNothing), &options));
  if (program.valid() || errno != EPERM) return Verdict::allow();
  return Verdict::refuse("this machine does not permit BPF programs of type " + type);
}

}  // namespace

Verdict can_load_fentry() { return can_load_trampoline("fentry", BPF_TRACE_FENTRY); }
Verdict can_load_fexit() { return can_load_trampoline("fexit", BPF_TRACE_FEXIT); }

Verdict can_use_sk_msg() {
  if (base::pretend_absent("sk_msg"))
    return Verdict::refuse("this kernel has no programs of type sk_msg (GRAPNEL_PRETEND_ABSENT)");
  return verdict_of(probe::try_sk_msg(), "put a BPF program on sockets (sockmap)");
}

}  // namespace grapnel::hooks::kernel
