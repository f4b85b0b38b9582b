// Quantities as people read them.
#pragma once

#include <string>

namespace grapnel::cli {

/// `value` by a printf format with one conversion of a double: "%.1f s". At most 63 bytes.
std::string formatted(const char* format, double value);
/// "12 us", "3.45 ms", "1.2 s".
std::string seconds_text(double seconds);
/// 0.25: "25 %".
std::string percent_text(double share);
/// "512 bytes", "759.9 MB", "1.23 GB": powers of 1000, as disks and networks count.
std::string bytes_text(double bytes);

}  // namespace grapnel::cli
