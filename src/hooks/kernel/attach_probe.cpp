#include "hooks/kernel/attach_probe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <iterator>

#include "base/pretend.h"
#include "base/unique_fd.h"

namespace grapnel::hooks::kernel {
namespace {

/// return 0;
constexpr bpf_insn kNothing[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                 {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};

}  // namespace

Verdict can_attach_tracepoint(const std::string& name) {
  if (base::pretend_absent("raw_tp") || base::pretend_absent(name))
    return Verdict::refuse("this kernel has no tracepoint " + name + " (GRAPNEL_PRETEND_ABSENT)");
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "grapnel_probe", "GPL",
                                       kNothing, std::size(kNothing), nullptr));
  if (!program.valid()) {
    const Error error = Error::system("the kernel does not let this user load BPF programs", errno);
    return Verdict::refuse(error.message, "run as root, or with CAP_BPF and CAP_PERFMON");
  }
  const UniqueFd link(bpf_raw_tracepoint_open(name.c_str(), program.get()));
  if (link.valid()) return Verdict::allow();
  const Error error = Error::system("cannot attach to the tracepoint " + name, errno);
  return Verdict::refuse(error.message, "use another hook");
}

}  // namespace grapnel::hooks::kernel
