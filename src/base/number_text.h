// Quantities as people read them, for texts that the library makes.
#pragma once

#include <string>

namespace grapnel {

/// `value` by a printf format with one conversion of a double: "%.1f s". At most 63 bytes.
std::string formatted(const char* format, double value);
/// "12 µs", "3.45 ms", "1.2 s".
std::string seconds_text(double seconds);
/// "16 B", "1.2 kB", "765.9 MB", "10 GB": powers of 1000.
std::string bytes_text(double bytes);
/// 0.25: "25 %".
std::string percent_text(double share);

}  // namespace grapnel
