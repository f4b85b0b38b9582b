// The options of `grapnel estimate`.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string_view>

#include "cli/arguments.h"

namespace grapnel::cli {

void describe_estimate(CLI::App& app, EstimateCommand& command);

/// Lets what was given as an option win over `input`. ErrorKind::usage for the rate of a hook that
/// the model does not have; names those that it has.
std::optional<api::Error> apply_given(const EstimateCommand& command, api::EstimateInput& input);

/// "10GB", "1.5 GiB", "300": bytes. KB, MB, GB, TB are powers of 1000, KiB ... of 1024. An "/s" at
/// the end is allowed. Nothing for anything else.
std::optional<double> parse_bytes(std::string_view text);
/// "10ms", "1.5s", "300us", "20ns": seconds. A unit is needed.
std::optional<double> parse_seconds(std::string_view text);
/// "25%" or "0.25".
std::optional<double> parse_share(std::string_view text);

}  // namespace grapnel::cli
