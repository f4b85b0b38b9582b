#include "engine/machine.h"

#include <fstream>

#include "lower/compile.h"
#include "lower/native/level.h"
#include "lower/plugin/client.h"

namespace grapnel::engine {
namespace {

std::string model_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "x86-64";
}

}  // namespace

std::string cpu_description() {
  return model_name() + ", native code for " + std::string(lower::native::best_level().name);
}

std::vector<api::Finding> compiler_findings() {
  api::Finding plugin{"plugin jit", true, "", ""};
  if (const auto compiler = lower::plugin::open_compiler(); compiler.ok()) {
    plugin.detail = "LLVM " + (*compiler)->llvm_version;
  } else {
    plugin = {"plugin jit", false, compiler.error().message, compiler.error().hint};
  }
  const lower::ObjectCache& cache = lower::user_cache();
  api::Finding kept{"cache", cache.usable(), "compiled programs in " + cache.path(), ""};
  if (!cache.usable()) {
    kept.detail = cache.problem();
    kept.cure =
        "without it each query is compiled anew (some 30 ms); give XDG_CACHE_HOME a directory "
        "that belongs to you alone";
  }
  return {plugin, kept};
}

}  // namespace grapnel::engine
