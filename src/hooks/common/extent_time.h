// What an extent took, for who chooses the hooks of the next ones.
#pragma once

#include <cstdint>

#include "hooks/hook.h"

namespace grapnel::hooks {

struct ExtentTime {
  const Hook* hook = nullptr;
  uint64_t bytes = 0;
  uint64_t device_bytes = 0;
  double wall_seconds = 0;
  double cpu_seconds = 0;
};

}  // namespace grapnel::hooks
