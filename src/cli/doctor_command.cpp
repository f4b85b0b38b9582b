#include <algorithm>

#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace grapnel::cli {
namespace {

/// Lines after the first one begin with `indent`.
std::string indented(const std::string& text, const std::string& indent) {
  std::string lines;
  for (const char c : text) {
    lines += c;
    if (c == '\n') lines += indent;
  }
  return lines;
}

}  // namespace

int run_doctor() {
  const auto findings = api::diagnose();
  size_t widest = 0;
  for (const auto& finding : findings) widest = std::max(widest, finding.topic.size());
  Output output(STDOUT_FILENO);
  for (const auto& finding : findings) {
    std::string line = finding.ok ? "ok  " : "no  ";
    line += finding.topic;
    line.append(widest - finding.topic.size() + 2, ' ');
    const std::string indent(line.size(), ' ');
    output.write(line + indented(finding.detail, indent) + "\n");
    if (!finding.cure.empty()) {
      output.write(indent + "cure: " + indented(finding.cure, indent + "      ") + "\n");
    }
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
