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

Verdict no_programs() {
  const Error error = Error::system("the kernel does not let this user load BPF programs", errno);
  return Verdict::refuse(error.message,
                         "run as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
}

}  // namespace

Verdict can_attach_tracepoint(const std::string& name) {
  if (base::pretend_absent("raw_tp") || base::pretend_absent(name))
    return Verdict::refuse("this kernel has no tracepoint " + name + " (GRAPNEL_PRETEND_ABSENT)");
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "grapnel_probe", "GPL",
                                       kNothing, std::size(kNothing), nullptr));
  if (!program.valid()) return no_programs();
  const UniqueFd link(bpf_raw_tracepoint_open(name.c_str(), program.get()));
  if (link.valid()) return Verdict::allow();
  const Error error = Error::system("cannot attach to the tracepoint " + name, errno);
  return Verdict::refuse(error.message, "use another hook");
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
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_SK_MSG, "grapnel_probe", "GPL", kNothing,
                                       std::size(kNothing), nullptr));
  if (!program.valid()) return no_programs();
  const UniqueFd sockets(
      bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "grapnel_probe", sizeof(int), sizeof(int), 1, nullptr));
  if (sockets.valid() && bpf_prog_attach(program.get(), sockets.get(), BPF_SK_MSG_VERDICT, 0) == 0)
    return Verdict::allow();
  const Error error = Error::system("cannot put a BPF program on sockets (sockmap)", errno);
  return Verdict::refuse(error.message, "use another hook");
}

}  // namespace grapnel::hooks::kernel
