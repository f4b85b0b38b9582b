// Medians that noise does not move much: of calibrations and of `where --measure`.
#pragma once

#include <vector>

#include "hooks/common/rates.h"

namespace grapnel::calibrate {

/// Median and half the distance between the quartiles, relative to it. Zeroes for nothing.
hooks::Calibrated median_of(std::vector<double> values);

}  // namespace grapnel::calibrate
