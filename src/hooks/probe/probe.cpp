#include "hooks/probe/probe.h"

#include <functional>
#include <map>
#include <set>

#include "base/pretend.h"
#include "hooks/probe/kernel_names.h"

namespace grapnel::hooks::probe {
namespace {

/// A function of the kernel that exists to be attached to, and does nothing; and one that hardly
/// ever runs.
constexpr const char* kTestFunction = "bpf_fentry_test1";
constexpr const char* kModifiableFunction = "security_settime64";
/// Attaching to these hardly ever runs the program.
constexpr const char* kRareTracepoint = "sched_process_exec";
constexpr const char* kLsmHook = "bpf_lsm_file_open";
constexpr const char* kIterator = "bpf_iter_task";

Answer not_in_btf(const KernelNames& names, std::string_view what) {
  if (!names.has_btf()) return Answer::no("the kernel's BTF cannot be read");
  return Answer::no(std::string(what) + " is not in the kernel's BTF");
}

Answer try_function(const KernelNames& names, std::string_view function, bpf_attach_type attach) {
  const auto id = names.function_id(function);
  if (!id) return not_in_btf(names, "the function");
  return try_tracing(attach == BPF_LSM_MAC ? BPF_PROG_TYPE_LSM : BPF_PROG_TYPE_TRACING, attach,
                     *id);
}

Answer try_typed_tracepoint(const KernelNames& names, std::string_view tracepoint) {
  const auto id = names.tracepoint_id(tracepoint);
  if (!id) return not_in_btf(names, "the tracepoint");
  return try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, *id);
}

Answer try_cast(const KernelNames& names, std::optional<uint32_t> to) {
  const auto id = names.function_id("bpf_rdonly_cast");
  if (!id || !to) return not_in_btf(names, "the function");
  return try_kfunc(KfuncCall::rdonly_cast, *id, *to, 0);
}

Answer try_file_dynptr(const KernelNames& names) {
  const auto make = names.function_id("bpf_dynptr_from_file");
  const auto discard = names.function_id("bpf_dynptr_file_discard");
  const auto hook = names.function_id(kLsmHook);
  if (!make || !discard || !hook) return not_in_btf(names, "the function");
  return try_kfunc(KfuncCall::dynptr_from_file, *make, *discard, *hook);
}

using Attempt = std::function<Answer(const KernelNames&)>;

const std::map<std::string_view, Attempt>& helper_attempts() {
  using Names = const KernelNames&;
  static const std::map<std::string_view, Attempt> attempts = {
      {"bpf_loop", [](Names) { return try_helper(BPF_PROG_TYPE_SYSCALL, BPF_FUNC_loop); }},
      {"bpf_probe_read_kernel",
       [](Names) { return try_helper(BPF_PROG_TYPE_SYSCALL, BPF_FUNC_probe_read_kernel); }},
      {"bpf_copy_from_user",
       [](Names) { return try_helper(BPF_PROG_TYPE_SYSCALL, BPF_FUNC_copy_from_user); }},
      {"bpf_rdonly_cast", [](Names names) { return try_cast(names, names.struct_id("page")); }},
      {"bpf_rdonly_cast to void", [](Names names) { return try_cast(names, 0); }},
      {"bpf_cast_to_kern_ctx",
       [](Names names) {
         const auto id = names.function_id("bpf_cast_to_kern_ctx");
         return id ? try_kfunc(KfuncCall::cast_to_kern_ctx, *id, 0, 0)
                   : not_in_btf(names, "the function");
       }},
      {"bpf_dynptr_from_file", try_file_dynptr},
      {"bpf_probe_write_user",
       [](Names) { return try_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_probe_write_user); }},
      {"bpf_override_return",
       [](Names) { return try_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_override_return); }},
  };
  return attempts;
}

const std::map<std::string_view, Attempt>& type_attempts() {
  using Names = const KernelNames&;
  static const std::map<std::string_view, Attempt> attempts = {
      {"syscall", [](Names) { return try_syscall_program(); }},
      {"sk_msg", [](Names) { return try_sk_msg(); }},
      {"tp_btf", [](Names names) { return try_typed_tracepoint(names, kRareTracepoint); }},
      {"raw_tp", [](Names) { return try_raw_tracepoint(kRareTracepoint); }},
      {"tracepoint", [](Names) { return try_classic_tracepoint(); }},
      {"fentry", [](Names names) { return try_function(names, kTestFunction, BPF_TRACE_FENTRY); }},
      {"fexit", [](Names names) { return try_function(names, kTestFunction, BPF_TRACE_FEXIT); }},
      {"fmod_ret",
       [](Names names) { return try_function(names, kModifiableFunction, BPF_MODIFY_RETURN); }},
      {"kprobe", [](Names) { return try_kprobe(kTestFunction); }},
      {"kprobe.multi", [](Names) { return try_kprobe_multi(kTestFunction); }},
      {"lsm", [](Names names) { return try_function(names, kLsmHook, BPF_LSM_MAC); }},
      {"iter", [](Names names) { return try_function(names, kIterator, BPF_TRACE_ITER); }},
  };
  return attempts;
}

Answer unless_pretended(std::string_view feature, const std::function<Answer()>& attempt) {
  if (base::pretend_absent(feature))
    return Answer::no("taken as absent: GRAPNEL_PRETEND_ABSENT lists it");
  return attempt();
}

Finding probe_function(const KnownPoint& point, const KernelNames& names) {
  const bool known = names.function_id(point.name).has_value();
  Finding finding{&point,
                  !names.has_btf() ? "unknown"
                  : known          ? "yes"
                                   : "no",
                  names.symbol(point.name),
                  {}};
  finding.ways.push_back({"fentry", unless_pretended("fentry", [&] {
                            return try_function(names, point.name, BPF_TRACE_FENTRY);
                          })});
  finding.ways.push_back({"kprobe", unless_pretended("kprobe", [&] {
                            if (finding.symbol == "no") return Answer::no("no such symbol");
                            return try_kprobe(std::string(point.name));
                          })});
  return finding;
}

Finding probe_tracepoint(const KnownPoint& point, const KernelNames& names) {
  const bool known = names.tracepoint_id(point.name).has_value();
  Finding finding{&point, !names.has_btf() ? "unknown" : known ? "yes" : "no", "", {}};
  finding.ways.push_back({"tp_btf", unless_pretended("tp_btf", [&] {
                            return try_typed_tracepoint(names, point.name);
                          })});
  finding.ways.push_back({"raw_tp", unless_pretended("raw_tp", [&] {
                            return try_raw_tracepoint(std::string(point.name));
                          })});
  return finding;
}

Finding probe_point(const KnownPoint& point, const KernelNames& names) {
  if (base::pretend_absent(point.name)) {
    const Answer absent = unless_pretended(point.name, Answer::yes);
    if (point.kind == PointKind::function)
      return {&point, "no", "no", {{"fentry", absent}, {"kprobe", absent}}};
    if (point.kind == PointKind::tracepoint)
      return {&point, "no", "", {{"tp_btf", absent}, {"raw_tp", absent}}};
    return {&point, "", "", {{"use", absent}}};
  }
  switch (point.kind) {
    case PointKind::function:
      return probe_function(point, names);
    case PointKind::tracepoint:
      return probe_tracepoint(point, names);
    case PointKind::helper:
      return {&point, "", "", {{"use", helper_attempts().at(point.name)(names)}}};
    case PointKind::program_type:
      return {&point, "", "", {{"use", type_attempts().at(point.name)(names)}}};
  }
  return {&point, "", "", {}};
}

}  // namespace

std::vector<Finding> probe_known_points() {
  std::set<std::string, std::less<>> wanted;
  for (const KnownPoint& point : known_points())
    if (point.kind == PointKind::function) wanted.emplace(point.name);
  const KernelNames names(wanted);
  std::vector<Finding> findings;
  for (const KnownPoint& point : known_points()) findings.push_back(probe_point(point, names));
  return findings;
}

}  // namespace grapnel::hooks::probe
