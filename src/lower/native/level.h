// The instruction sets that native code is made for.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/source.h"

namespace grapnel::lower::native {

struct Level {
  std::string_view name;         ///< "avx512", "avx2", "plain": for --help, EXPLAIN, GRAPNEL_NATIVE
  std::string_view description;  ///< what it needs
  bool (*supported)();           ///< on this machine, operating system included
  /// LLVM bitcode of the reader of a format.
  std::string_view (*record_template)(source::Format format);
};

/// All levels, best first. "plain" is always supported.
const std::vector<Level>& levels();
/// The best one that this machine supports.
const Level& best_level();
/// By name. Errors: usage, for an unknown name (lists the names) or one that the machine has not.
Result<const Level*> find_level(std::string_view name);

}  // namespace grapnel::lower::native
