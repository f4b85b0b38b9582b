#include "engine/machine.h"

#include <fstream>

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
  const char* level = "no AVX2: plain code only";
  if (__builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
    level = "AVX-512";
  } else if (__builtin_cpu_supports("avx2") != 0) {
    level = "AVX2";
  }
  return model_name() + ", " + level;
}

std::vector<api::Finding> compiler_findings() { return {}; }

}  // namespace grapnel::engine
