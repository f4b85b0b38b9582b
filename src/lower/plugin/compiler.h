// Template bitcode + plan -> object file. Inside the plugin only.
#pragma once

#include <string>
#include <string_view>

#include "lower/plan.h"

namespace grapnel::lower::plugin {

struct Options {
  std::vector<std::string> keep;  ///< native: symbols that stay visible
  std::string bpf_cpu = "v3";
  int print_ir = 0;  ///< see grapnel_jit_request
};

struct Bitcode {
  std::string_view record_template;
  std::string_view anchor;  ///< BPF only
};

struct Timings {
  double parse_ms = 0, generate_ms = 0, optimise_ms = 0, emit_ms = 0;
};

/// The object's bytes. Errors: internal, with LLVM's diagnostics. May end in LLVM's fatal error
/// handler for what the back end cannot select: the caller runs it in a CrashRecoveryContext.
Result<std::string> compile(const Bitcode& bitcode, const Plan& plan, const Options& options,
                            Timings& timings);

}  // namespace grapnel::lower::plugin
