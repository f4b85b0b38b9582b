#include <algorithm>

#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace grapnel::cli {

int run_doctor() {
  const auto findings = api::diagnose();
  size_t widest = 0;
  for (const auto& finding : findings) widest = std::max(widest, finding.topic.size());
  Output output(STDOUT_FILENO);
  for (const auto& finding : findings) {
    std::string line = finding.ok ? "ok  " : "no  ";
    line += finding.topic;
    line.append(widest - finding.topic.size() + 2, ' ');
    line += finding.detail;
    output.write(line + "\n");
    if (!finding.cure.empty()) {
      output.write(std::string(widest + 6, ' ') + "cure: " + finding.cure + "\n");
    }
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
