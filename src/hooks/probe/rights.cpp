#include "hooks/probe/rights.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace grapnel::hooks::probe {
namespace {

constexpr int kNotSupported = 524;  ///< ENOTSUPP, which user space's errno.h has not

uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | uint64_t{data[1].effective} << 32;
}

}  // namespace

std::string missing_rights() {
  constexpr std::pair<int, const char*> kWanted[] = {
      {CAP_BPF, "CAP_BPF"}, {CAP_PERFMON, "CAP_PERFMON"}, {CAP_NET_ADMIN, "CAP_NET_ADMIN"}};
  const uint64_t have = effective_capabilities();
  if ((have >> CAP_SYS_ADMIN & 1) != 0) return {};  // stands for the first two everywhere
  std::string missing;
  for (const auto& [number, name] : kWanted) {
    if ((have >> number & 1) == 0) missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  return missing;
}

std::string refusal_words(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES: {
      const std::string missing = missing_rights();
      if (!missing.empty()) return "right missing: " + missing + " (root has them)";
      return "forbidden even to root: lockdown, or a policy of this kernel";
    }
    case ENOENT:
    case EADDRNOTAVAIL:
      return "no such symbol to attach to";
    case kNotSupported:
      return "this kernel does not support it";
    case EINVAL:
      return "invalid: not a place for a probe";
    case EOPNOTSUPP:
      return "this kernel was built without it";
    case EBUSY:
      return "busy: something else is attached, or the function's entry cannot be patched";
    default:
      return std::strerror(error_number);  // NOLINT(concurrency-mt-unsafe): glibc's has no state
  }
}

}  // namespace grapnel::hooks::probe
