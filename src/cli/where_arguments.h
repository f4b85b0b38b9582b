// The options of `grapnel where`, and those limits that it shares with `grapnel query`.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace grapnel::cli {

void describe_where(CLI::App& app, WhereCommand& command);

/// --no-kernel, --max-cpu, --polite.
void add_limits(CLI::App& app, api::QueryOptions& options);

}  // namespace grapnel::cli
