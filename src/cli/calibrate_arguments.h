// The options of `grapnel calibrate`.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace grapnel::cli {

void describe_calibrate(CLI::App& app, CalibrateCommand& command);

}  // namespace grapnel::cli
