// The options of `grapnel watch`.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace grapnel::cli {

void describe_watch(CLI::App& app, WatchCommand& command);

}  // namespace grapnel::cli
