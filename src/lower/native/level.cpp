#include "lower/native/level.h"

#include <cpuid.h>

#include "tmpl_csv_avx2.embed.h"
#include "tmpl_csv_avx512.embed.h"
#include "tmpl_csv_plain.embed.h"
#include "tmpl_fixed_avx2.embed.h"
#include "tmpl_fixed_avx512.embed.h"
#include "tmpl_fixed_plain.embed.h"
#include "tmpl_lines_avx2.embed.h"
#include "tmpl_lines_avx512.embed.h"
#include "tmpl_lines_plain.embed.h"

namespace grapnel::lower::native {
namespace {

/// AMD before Zen 3 takes hundreds of cycles for pdep: slower than doing without.
bool has_slow_pdep() {
  if (!__builtin_cpu_is("amd")) return false;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  const unsigned family = (eax >> 8 & 15) + (eax >> 20 & 255);
  return family < 0x19;
}

bool supports_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
         __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("lzcnt") && !has_slow_pdep();
}

bool supports_avx512() {
  return supports_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
}

#define GRAPNEL_TEMPLATES(level)               \
  [](source::Format format) {                  \
    switch (format) {                          \
      case source::Format::csv:                \
        return embedded::tmpl_csv_##level();   \
      case source::Format::lines:              \
        return embedded::tmpl_lines_##level(); \
      case source::Format::fixed:              \
        return embedded::tmpl_fixed_##level(); \
    }                                          \
    return std::string_view();                 \
  }

}  // namespace

const std::vector<Level>& levels() {
  static const std::vector<Level> all = {
      {"avx512", "AVX-512 F, BW, VL, DQ; BMI1, BMI2; PCLMULQDQ", supports_avx512,
       GRAPNEL_TEMPLATES(avx512)},
      {"avx2", "AVX2; BMI1, BMI2 with fast pdep; PCLMULQDQ", supports_avx2,
       GRAPNEL_TEMPLATES(avx2)},
      {"plain", "any x86-64", [] { return true; }, GRAPNEL_TEMPLATES(plain)},
  };
  return all;
}

const Level& best_level() {
  for (const Level& level : levels()) {
    if (level.supported()) return level;
  }
  return levels().back();
}

Result<const Level*> find_level(std::string_view name) {
  std::string known;
  for (const Level& level : levels()) {
    if (level.name == name) {
      if (level.supported()) return &level;
      return Error{ErrorKind::usage,
                   "this machine has not what native level '" + std::string(name) +
                       "' needs: " + std::string(level.description),
                   "leave the choice to the program, or take 'plain'"};
    }
    known += std::string(known.empty() ? "" : ", ") + std::string(level.name);
  }
  return Error{ErrorKind::usage, "there is no native level '" + std::string(name) + "'",
               "the levels are " + known + ", and 'interpreter' for none"};
}

}  // namespace grapnel::lower::native
