// What every hook in the kernel needs to know about the running kernel. Found out once in a
// process.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "lower/bpf/kernel_btf.h"

namespace grapnel::hooks::kernel {

class KernelAccess {
 public:
  /// The only one. Errors: permission (names the missing right), hook (this kernel or machine is
  /// laid out in a way that grapnel does not know). Thread-safe; takes some milliseconds at first.
  static const Result<KernelAccess>& get();

  /// Type information to load programs against; valid as long as the process lives.
  [[nodiscard]] std::string btf_path() const { return btf_.path(); }
  /// See page_constant.h.
  [[nodiscard]] uint64_t page_constant() const { return page_constant_; }

 private:
  static Result<KernelAccess> probe();
  KernelAccess(lower::bpf::KernelBtf btf, uint64_t page_constant)
      : btf_(std::move(btf)), page_constant_(page_constant) {}
  lower::bpf::KernelBtf btf_;
  uint64_t page_constant_;
};

}  // namespace grapnel::hooks::kernel
