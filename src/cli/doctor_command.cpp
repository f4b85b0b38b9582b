#include <algorithm>

#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/writers.h"

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

void write_text(const std::vector<api::Finding>& findings, Output& output) {
  size_t widest = 0;
  for (const auto& finding : findings) widest = std::max(widest, finding.topic.size());
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
}

/// An array with one object per line.
void write_json(const std::vector<api::Finding>& findings, Output& output) {
  std::string text = "[";
  for (const auto& finding : findings) {
    text += &finding == findings.data() ? "\n{\"topic\": " : ",\n{\"topic\": ";
    append_json_string(text, finding.topic);
    text += finding.ok ? ", \"ok\": true, \"detail\": " : ", \"ok\": false, \"detail\": ";
    append_json_string(text, finding.detail);
    text += ", \"cure\": ";
    append_json_string(text, finding.cure);
    text += "}";
  }
  output.write(text + "\n]\n");
}

}  // namespace

int run_doctor(const DoctorCommand& command) {
  if (command.hooks) return run_doctor_hooks(command);
  if (command.tax) return run_doctor_tax(command);
  const auto findings = api::diagnose();
  Output output(STDOUT_FILENO);
  if (command.format == OutputFormat::json) {
    write_json(findings, output);
  } else {
    write_text(findings, output);
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
