// Runs compiled code over blocks. Internal to lower/native.
#pragma once

#include <memory>
#include <string>

#include "lower/native/native_abi.h"
#include "lower/native/object_loader.h"
#include "program/program.h"

namespace grapnel::lower::native {

/// Compiled code with all that it needs; shared by the runners.
struct Code {
  std::shared_ptr<const program::Job> job;
  std::string level;
  std::shared_ptr<const LoadedObject> object;
  gr_scan_function* scan = nullptr;
  gr_parameters parameters{};
};

std::unique_ptr<program::Runner> make_native_runner(std::shared_ptr<const Code> code);

}  // namespace grapnel::lower::native
