#include "hooks/kernel/kernel_access.h"

#include <utility>

#include "hooks/kernel/page_constant.h"

namespace grapnel::hooks::kernel {

Result<KernelAccess> KernelAccess::probe() {
  GRAPNEL_TRY(lower::bpf::KernelBtf btf, lower::bpf::KernelBtf::open());
  GRAPNEL_TRY(const uint64_t constant, find_page_constant(btf));
  return KernelAccess(std::move(btf), constant);
}

const Result<KernelAccess>& KernelAccess::get() {
  static const Result<KernelAccess> access = probe();
  return access;
}

}  // namespace grapnel::hooks::kernel
