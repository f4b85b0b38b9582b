// Type information about the running kernel, cut down to what our BPF programs are relocated
// against.
//
// libbpf would parse the kernel's whole BTF (several MB) for each object that it loads: 5 to 12 ms.
// Against this excerpt of some hundred bytes loading takes half a millisecond.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace grapnel::lower::bpf {

/// The excerpt, in memory, with a path that libbpf can open as long as this lives.
class KernelBtf {
 public:
  /// Takes it from the cache of compiled objects, or makes it and puts it there. Errors: hook (the
  /// kernel has no BTF, lacks a member that we need, or its struct page has another size than 64
  /// bytes; says so).
  static Result<KernelBtf> open();

  [[nodiscard]] std::string path() const;

 private:
  explicit KernelBtf(UniqueFd memory) : memory_(std::move(memory)) {}
  UniqueFd memory_;
};

}  // namespace grapnel::lower::bpf
