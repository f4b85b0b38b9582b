// Opens libgrapnel-jit.so, at the first compilation of the process.
#pragma once

#include "base/result.h"
#include "lower/plugin/jit.h"

namespace grapnel::lower::plugin {

struct Compiler {
  decltype(&grapnel_jit_compile) compile;
  decltype(&grapnel_jit_free) free_result;
  std::string llvm_version;
};

/// Looks for the plugin beside the program, in ../lib/grapnel, and in the directory that
/// GRAPNEL_PLUGIN_DIR names (unless the process runs with raised rights). Thread-safe; stays open.
/// Errors: hook, with the places that were tried.
Result<const Compiler*> open_compiler();

/// Whether the plugin is in one of these places, without loading it, which takes milliseconds.
/// Errors: hook, with the places.
Status find_compiler();

}  // namespace grapnel::lower::plugin
