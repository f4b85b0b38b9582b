#include "hooks/probe/attempts.h"

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "hooks/probe/rights.h"

namespace grapnel::hooks::probe {
namespace {

constexpr const char* kName = "grapnel_probe";
constexpr bpf_insn kReturnZero[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
constexpr bpf_insn kReturnOne[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
                                   {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};

/// The verifier's last line, before its statistics.
std::string last_words(const std::string& log) {
  std::string text = log.c_str();
  text.resize(std::min(text.size(), text.find("processed ")));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

/// Loads a program; `refusal` says why not.
UniqueFd load(bpf_prog_type type, std::span<const bpf_insn> program, bpf_prog_load_opts options,
              Answer& refusal) {
  std::string log(8192, '\0');
  options.sz = sizeof options;
  options.log_buf = log.data();
  options.log_size = static_cast<uint32_t>(log.size());
  options.log_level = 1;
  UniqueFd fd(bpf_prog_load(type, kName, "GPL", program.data(), program.size(), &options));
  if (fd.valid()) return fd;
  refusal = Answer::from_errno(errno);
  if (const std::string words = last_words(log); !words.empty()) refusal.words = words;
  return fd;
}

Answer attached(const UniqueFd& link) {
  return link.valid() ? Answer::yes() : Answer::from_errno(errno);
}

/// An event that a program may hang on; closing it detaches.
Answer attach_to_event(const UniqueFd& program, perf_event_attr& event) {
  event.size = sizeof event;
  const UniqueFd fd(
      static_cast<int>(syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!fd.valid()) return Answer::from_errno(errno);
  if (ioctl(fd.get(), PERF_EVENT_IOC_SET_BPF, program.get()) != 0) return Answer::from_errno(errno);
  return Answer::yes();
}

template <typename Number>
bool read_number(const std::string& path, Number& number) {
  std::ifstream file(path);
  return static_cast<bool>(file >> number);
}

}  // namespace

Answer Answer::from_errno(int error_number) { return no(refusal_words(error_number)); }

Answer try_tracing(bpf_prog_type type, bpf_attach_type attach, uint32_t btf_id) {
  Answer refusal;
  bpf_prog_load_opts options{};
  options.expected_attach_type = attach;
  options.attach_btf_id = btf_id;
  const UniqueFd program = load(type, kReturnZero, options, refusal);
  if (!program.valid()) return refusal;
  if (attach == BPF_TRACE_ITER)
    return attached(UniqueFd(bpf_link_create(program.get(), 0, attach, nullptr)));
  return attached(UniqueFd(bpf_raw_tracepoint_open(nullptr, program.get())));
}

Answer try_raw_tracepoint(const std::string& name) {
  Answer refusal;
  const UniqueFd program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, kReturnZero, {}, refusal);
  if (!program.valid()) return refusal;
  return attached(UniqueFd(bpf_raw_tracepoint_open(name.c_str(), program.get())));
}

Answer try_classic_tracepoint() {
  perf_event_attr event{};
  event.type = PERF_TYPE_TRACEPOINT;
  constexpr const char* kId = "/events/sched/sched_process_exec/id";
  if (!read_number(std::string("/sys/kernel/tracing") + kId, event.config) &&
      !read_number(std::string("/sys/kernel/debug/tracing") + kId, event.config))
    return Answer::no("tracefs is not mounted, or not readable for this user");
  Answer refusal;
  const UniqueFd program = load(BPF_PROG_TYPE_TRACEPOINT, kReturnZero, {}, refusal);
  if (!program.valid()) return refusal;
  return attach_to_event(program, event);
}

Answer try_kprobe(const std::string& function) {
  perf_event_attr event{};
  if (!read_number("/sys/bus/event_source/devices/kprobe/type", event.type))
    return Answer::no("this kernel has no kprobes (CONFIG_KPROBE_EVENTS)");
  Answer refusal;
  const UniqueFd program = load(BPF_PROG_TYPE_KPROBE, kReturnZero, {}, refusal);
  if (!program.valid()) return refusal;
  event.config1 = reinterpret_cast<uintptr_t>(function.c_str());
  return attach_to_event(program, event);
}

Answer try_kprobe_multi(const std::string& function) {
  Answer refusal;
  bpf_prog_load_opts options{};
  options.expected_attach_type = BPF_TRACE_KPROBE_MULTI;
  const UniqueFd program = load(BPF_PROG_TYPE_KPROBE, kReturnZero, options, refusal);
  if (!program.valid()) return refusal;
  const char* name = function.c_str();
  bpf_link_create_opts where{};
  where.sz = sizeof where;
  where.kprobe_multi.syms = &name;
  where.kprobe_multi.cnt = 1;
  return attached(UniqueFd(bpf_link_create(program.get(), 0, BPF_TRACE_KPROBE_MULTI, &where)));
}

Answer try_sk_msg() {
  const UniqueFd sockets(
      bpf_map_create(BPF_MAP_TYPE_SOCKMAP, kName, sizeof(int), sizeof(int), 1, nullptr));
  if (!sockets.valid()) return Answer::from_errno(errno);
  Answer refusal;
  const UniqueFd program = load(BPF_PROG_TYPE_SK_MSG, kReturnOne, {}, refusal);
  if (!program.valid()) return refusal;
  if (bpf_prog_attach(program.get(), sockets.get(), BPF_SK_MSG_VERDICT, 0) != 0)
    return Answer::from_errno(errno);
  bpf_prog_detach2(program.get(), sockets.get(), BPF_SK_MSG_VERDICT);
  return Answer::yes();
}

Answer try_syscall_program() {
  Answer refusal;
  bpf_prog_load_opts options{};
  options.prog_flags = BPF_F_SLEEPABLE;
  const UniqueFd program = load(BPF_PROG_TYPE_SYSCALL, kReturnZero, options, refusal);
  if (!program.valid()) return refusal;
  uint64_t context = 0;
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.ctx_in = &context;
  run.ctx_size_in = sizeof context;
  if (bpf_prog_test_run_opts(program.get(), &run) != 0) return Answer::from_errno(errno);
  return Answer::yes();
}

Answer try_helper(bpf_prog_type type, bpf_func_id helper) {
  const bpf_insn program[] = {{BPF_JMP | BPF_CALL, 0, 0, 0, helper},
                              {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_prog_load_opts options{};
  if (type == BPF_PROG_TYPE_SYSCALL) options.prog_flags = BPF_F_SLEEPABLE;
  Answer refusal;
  if (load(type, program, options, refusal).valid()) return Answer::yes();
  // A call without arguments is refused in any case, but if the helper is known, then for the first
  // register that it looks at. (libbpf's own probe knows only the words of kernels before 6.11, and
  // takes a missing right for a yes.)
  const std::string& words = refusal.words;
  const bool names_register =
      words.size() > 1 && words[0] == 'R' && words[1] > '0' && words[1] < '6';
  return names_register ? Answer::yes() : refusal;
}

Answer try_kfunc(KfuncCall call, uint32_t function_id, uint32_t argument, uint32_t attach_id) {
  const auto move = [](uint8_t to, int32_t value) {
    return bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value};
  };
  const auto copy = [](uint8_t to, uint8_t from) {
    return bpf_insn{BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0};
  };
  const auto kfunc = [](uint32_t id) {
    return bpf_insn{BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, static_cast<int32_t>(id)};
  };
  constexpr int16_t kDynptr = -16;
  std::vector<bpf_insn> program;
  bpf_prog_load_opts options{};
  bpf_prog_type type = BPF_PROG_TYPE_SYSCALL;
  switch (call) {
    case KfuncCall::rdonly_cast:
      options.prog_flags = BPF_F_SLEEPABLE;
      program = {move(BPF_REG_1, 0), move(BPF_REG_2, static_cast<int32_t>(argument)),
                 kfunc(function_id)};
      break;
    case KfuncCall::cast_to_kern_ctx:
      type = BPF_PROG_TYPE_SK_MSG;
      program = {kfunc(function_id)};
      break;
    case KfuncCall::dynptr_from_file:
      type = BPF_PROG_TYPE_LSM;
      options.expected_attach_type = BPF_LSM_MAC;
      options.attach_btf_id = attach_id;
      program = {{BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, 0, 0},
                 move(BPF_REG_2, 0),
                 copy(BPF_REG_3, BPF_REG_10),
                 // NOLINTNEXTLINE(misc-redundant-expression): both are 0
                 {BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, kDynptr},
                 kfunc(function_id),
                 copy(BPF_REG_1, BPF_REG_10),
                 // NOLINTNEXTLINE(misc-redundant-expression): both are 0
                 {BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, kDynptr},
                 kfunc(argument)};
      break;
  }
  const bool returns_one = type == BPF_PROG_TYPE_SK_MSG;
  program.push_back(move(BPF_REG_0, returns_one ? 1 : 0));
  program.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
  Answer answer = Answer::yes();
  (void)load(type, program, options, answer);
  return answer;
}

}  // namespace grapnel::hooks::probe
