// `grapnel doctor`: what this machine, this kernel and these rights permit.
#include <dlfcn.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/machine.h"
#include "engine/prepare.h"
#include "grapnel/grapnel.h"
#include "hooks/hook.h"
#include "wire/plugin.h"

namespace grapnel::api {
namespace {

Finding kernel_finding() {
  utsname name{};
  if (::uname(&name) != 0) return {"kernel", false, "uname failed", {}};
  return {"kernel", true, std::string(name.sysname) + " " + name.release + " " + name.machine, {}};
}

Finding user_finding() {
  const uid_t user = ::geteuid();
  if (user == 0) return {"user", true, "root", {}};
  return {"user", true, "user id " + std::to_string(user),
          "hooks in the kernel need root; everything else works without"};
}

Finding cpu_finding() {
  Finding finding{"cpu", true, engine::cpu_description(), {}};
  finding.detail += ", " + std::to_string(engine::usable_cpus()) + " usable";
  return finding;
}

Finding hook_finding(hooks::Hook& hook) {
  const auto verdict = hook.permitted();
  Finding finding{"hook " + std::string(hook.name()), verdict.yes, std::string(hook.description()),
                  verdict.cure};
  const std::string attach_point = hook.attach_point();
  if (!attach_point.empty()) finding.detail += "; via " + attach_point;
  if (!verdict.yes) finding.detail = verdict.reason;
  return finding;
}

Finding flight_finding() {
  auto plugin = wire::load_plugin();
  if (plugin.ok()) return {"plugin flight", true, "serve and --on work", {}};
  return {"plugin flight", false, plugin.error().message, plugin.error().hint};
}

}  // namespace

std::vector<Finding> diagnose() {
  std::vector<Finding> findings{kernel_finding(), user_finding(), cpu_finding()};
  for (hooks::Hook* hook : hooks::all_hooks()) findings.push_back(hook_finding(*hook));
  for (const auto& finding : engine::compiler_findings()) findings.push_back(finding);
  findings.push_back(flight_finding());
  return findings;
}

}  // namespace grapnel::api
