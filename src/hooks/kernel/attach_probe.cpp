#include "hooks/kernel/attach_probe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <iterator>

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

}  // namespace

Verdict can_attach_tracepoint(const std::string& name) {
  if (base::pretend_absent("raw_tp") || base::pretend_absent(name))
    return Verdict::refuse("this kernel has no tracepoint " + name + " (GRAPNEL_PRETEND_ABSENT)");
  return verdict_of(probe::try_raw_tracepoint(name), "attach to the tracepoint " + name);
}

Verdict can_load_fexit() {
  if (base::pretend_absent("fexit"))
    return Verdict::refuse("this kernel has no fexit (GRAPNEL_PRETEND_ABSENT)");
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.expected_attach_type = BPF_TRACE_FEXIT;
  options.attach_btf_id = 1;  // no function: who may load such programs is told so
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "grapnel_probe", "GPL", kNothing,
                                       std::size(kNothing), &options));
  if (program.valid() || errno != EPERM) return Verdict::allow();
  return Verdict::refuse("this machine does not permit BPF programs of type fexit");
}

Verdict can_use_sk_msg() {
  if (base::pretend_absent("sk_msg"))
    return Verdict::refuse("this kernel has no programs of type sk_msg (GRAPNEL_PRETEND_ABSENT)");
  return verdict_of(probe::try_sk_msg(), "put a BPF program on sockets (sockmap)");
}

}  // namespace grapnel::hooks::kernel
