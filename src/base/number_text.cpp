#include "base/number_text.h"

#include <array>
#include <cstdio>

namespace grapnel {

std::string formatted(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string seconds_text(double seconds) {
  if (seconds < 1e-3) return formatted("%.3g µs", 1e6 * seconds);
  if (seconds < 0.9995) return formatted("%.3g ms", 1e3 * seconds);
  return formatted("%.3g s", seconds);
}

std::string bytes_text(double bytes) {
  if (bytes < 1e3) return formatted("%.0f B", bytes);
  if (bytes < 1e6) return formatted("%.3g kB", bytes / 1e3);
  return bytes < 1e9 ? formatted("%.4g MB", bytes / 1e6) : formatted("%.4g GB", bytes / 1e9);
}

std::string percent_text(double share) { return formatted("%.0f %%", 100 * share); }

}  // namespace grapnel
