// Options of `grapnel trace`.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace grapnel::cli {

void describe_trace(CLI::App& app, TraceCommand& command);

}  // namespace grapnel::cli
