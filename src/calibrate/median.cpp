#include "calibrate/median.h"

#include <algorithm>

namespace grapnel::calibrate {

hooks::Calibrated median_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&values](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  const double median = at(0.5);
  return {median, median > 0 ? (at(0.75) - at(0.25)) / 2 / median : 0};
}

}  // namespace grapnel::calibrate
