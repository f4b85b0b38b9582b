// The figures of the page, as SVG.
#pragma once

#include <string>

#include "grapnel/where.h"

namespace grapnel::api {

/// Predicted and measured wall time of each hook that can, with the spread.
std::string times_plot(const WhereTable& table);
/// Steadiness against speed: one point per hook.
std::string stability_plot(const WhereTable& table);
/// Wall time of each hook over the cached share of the file, as predicted.
std::string cache_plot(const WhereTable& table);

/// For text in HTML and SVG.
std::string escaped(std::string_view text);

}  // namespace grapnel::api
