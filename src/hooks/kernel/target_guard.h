// Tells a hook's programs in the kernel which thread they work for, and on which file.
#pragma once

#include <utility>

#include "base/result.h"
#include "hooks/kernel/kernel_program.h"

namespace grapnel::hooks::kernel {

/// The program in target.bpf.h; to be named in Anchor::loaded.
inline constexpr const char* kArmProgram = "gr_arm";

/// While it lives, gr_target() in the kernel gives the calling thread's worker. Made and destroyed
/// by that thread; `place` must outlive it.
class TargetGuard {
 public:
  /// `file`: descriptor of the file whose pages are meant. Errors: hook.
  static Result<TargetGuard> arm(const WorkerPlace& place, int file);
  TargetGuard(TargetGuard&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
  TargetGuard& operator=(TargetGuard&&) = delete;
  TargetGuard(const TargetGuard&) = delete;
  TargetGuard& operator=(const TargetGuard&) = delete;
  ~TargetGuard();

 private:
  explicit TargetGuard(const WorkerPlace& place) : place_(&place) {}
  const WorkerPlace* place_;
};

}  // namespace grapnel::hooks::kernel
