#include "base/pretend.h"

#include <algorithm>
#include <cstdlib>

namespace grapnel::base {
namespace {

std::vector<std::string> listed() {
  std::vector<std::string> names;
  const char* variable = std::getenv("GRAPNEL_PRETEND_ABSENT");  // NOLINT(concurrency-mt-unsafe)
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) names.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return names;
}

}  // namespace

const std::vector<std::string>& pretended_absent() {
  static const std::vector<std::string> names = listed();
  return names;
}

bool pretend_absent(std::string_view feature) {
  const auto& names = pretended_absent();
  return std::find(names.begin(), names.end(), feature) != names.end();
}

std::string why_switched_off(std::string_view section) {
  const size_t slash = std::min(section.find('/'), section.size());
  std::string_view way = section.substr(0, slash);
  // "lsm.s": the same way, for a program that may sleep.
  if (way.size() > 2 && way.substr(way.size() - 2) == ".s") way.remove_suffix(2);
  const std::string_view target = section.substr(std::min(slash + 1, section.size()));
  for (const std::string_view feature : {way, target})
    if (pretend_absent(feature))
      return std::string(feature) + " is switched off (GRAPNEL_PRETEND_ABSENT)";
  return {};
}

}  // namespace grapnel::base
