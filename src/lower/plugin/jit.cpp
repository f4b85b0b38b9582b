#include "lower/plugin/jit.h"

#include <llvm/Config/llvm-config.h>
#include <llvm/Support/CrashRecoveryContext.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/Process.h>
#include <llvm/Support/TargetSelect.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <sstream>

#include "generator_fingerprint.h"
#include "lower/plugin/compiler.h"

namespace {

using namespace grapnel;

std::mutex compile_mutex;
/// What LLVM said when it gave up. Guarded by compile_mutex.
std::string fatal_message;

void initialise_once() {
  static const bool done = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
    LLVMInitializeBPFAsmParser();
    // "Cannot select" and the like would end the process: leave the crash context instead.
    llvm::install_fatal_error_handler(
        [](void*, const char* message, bool) {
          fatal_message = message;
          llvm::sys::Process::Exit(70, /*NoCleanup=*/true);
        },
        nullptr);
    return true;
  }();
  (void)done;
}

std::vector<std::string> words(const char* text) {
  std::vector<std::string> result;
  std::istringstream in(text == nullptr ? "" : text);
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

char* copy(std::string_view bytes) {
  auto* memory = static_cast<char*>(malloc(bytes.size() + 1));
  if (memory == nullptr) return nullptr;
  memcpy(memory, bytes.data(), bytes.size());
  memory[bytes.size()] = '\0';
  return memory;
}

Result<std::string> compile(const grapnel_jit_request& request, lower::plugin::Timings& timings) {
  GRAPNEL_TRY(const lower::Plan plan,
              lower::Plan::decode({static_cast<const char*>(request.plan), request.plan_size}));
  lower::plugin::Options options;
  options.keep = words(request.keep);
  if (request.bpf_cpu != nullptr) options.bpf_cpu = request.bpf_cpu;
  options.print_ir = request.print_ir;
  const lower::plugin::Bitcode bitcode{
      {static_cast<const char*>(request.template_bitcode), request.template_size},
      {static_cast<const char*>(request.anchor_bitcode), request.anchor_size}};
  return lower::plugin::compile(bitcode, plan, options, timings);
}

/// Runs the compiler so that its crash is an error. What it had allocated is lost then.
Result<std::string> compile_guarded(const grapnel_jit_request& request,
                                    lower::plugin::Timings& timings) {
  std::optional<Result<std::string>> outcome;
  fatal_message.clear();
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  const bool survived = recovery.RunSafely([&] { outcome.emplace(compile(request, timings)); });
  llvm::CrashRecoveryContext::Disable();
  if (survived && outcome) return *std::move(outcome);
  return Error{
      ErrorKind::internal,
      "the compiler broke down: " + (fatal_message.empty()
                                         ? "signal or exit code " + std::to_string(recovery.RetCode)
                                         : fatal_message),
      "run with GRAPNEL_NATIVE=interpreter (slower, no compiler) and report this"};
}

}  // namespace

#define GRAPNEL_EXPORT __attribute__((visibility("default")))

extern "C" {

GRAPNEL_EXPORT int grapnel_jit_compile(const grapnel_jit_request* request,
                                       grapnel_jit_result* result) {
  const std::lock_guard lock(compile_mutex);
  initialise_once();
  *result = {};
  lower::plugin::Timings timings;
  auto object = compile_guarded(*request, timings);
  result->parse_ms = timings.parse_ms;
  result->generate_ms = timings.generate_ms;
  result->optimise_ms = timings.optimise_ms;
  result->emit_ms = timings.emit_ms;
  if (!object) {
    result->error = copy(object.error().message);
    return -1;
  }
  result->object = copy(*object);
  result->object_size = object->size();
  if (result->object != nullptr) return 0;
  result->error = copy("out of memory");
  return -1;
}

GRAPNEL_EXPORT void grapnel_jit_free(grapnel_jit_result* result) {
  free(result->object);
  free(result->error);
  *result = {};
}

GRAPNEL_EXPORT int grapnel_jit_version(void) { return GRAPNEL_JIT_VERSION; }
GRAPNEL_EXPORT const char* grapnel_jit_generator(void) { return GRAPNEL_GENERATOR_FINGERPRINT; }
GRAPNEL_EXPORT const char* grapnel_jit_llvm_version(void) { return LLVM_VERSION_STRING; }
}
