#include "cli/number_text.h"

#include <array>
#include <cstdio>

namespace grapnel::cli {

std::string formatted(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string seconds_text(double seconds) {
  if (seconds < 1e-3) return formatted("%.0f us", 1e6 * seconds);
  if (seconds < 0.9995) return formatted("%.3g ms", 1e3 * seconds);
  return formatted("%.3g s", seconds);
}

std::string percent_text(double share) { return formatted("%.0f %%", 100 * share); }

std::string bytes_text(double bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  while (bytes >= 999.95 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    unit++;
  }
  return formatted(unit == 0 ? "%.0f " : unit >= 3 ? "%.2f " : "%.1f ", bytes) + kUnits[unit];
}

}  // namespace grapnel::cli
