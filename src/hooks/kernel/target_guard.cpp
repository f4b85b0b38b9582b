#include "hooks/kernel/target_guard.h"

#include "hooks/kernel/kernel_access.h"
#include "hooks/kernel/target.h"
#include "lower/bpf/object.h"

namespace grapnel::hooks::kernel {

Result<TargetGuard> TargetGuard::arm(const WorkerPlace& place, int file) {
  const auto& access = KernelAccess::get();
  if (!access.ok()) return access.error();
  place.worker().page_constant = access->page_constant();
  gr_arm_request request{place.number(), static_cast<gr_u32>(file), 1, 0};
  const int program = place.object().program(kArmProgram);
  GRAPNEL_CHECK(lower::bpf::run_syscall_program(program, &request, sizeof request));
  if (request.done == 0)
    return Error{ErrorKind::hook, "the program in the kernel did not find the file", ""};
  return TargetGuard(place);
}

TargetGuard::~TargetGuard() {
  if (place_ == nullptr) return;
  gr_arm_request request{place_->number(), 0, 0, 0};
  (void)lower::bpf::run_syscall_program(place_->object().program(kArmProgram), &request,
                                        sizeof request);  // the map goes with the session anyway
}

}  // namespace grapnel::hooks::kernel
