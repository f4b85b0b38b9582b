// The decision table as text.
#include <algorithm>
#include <array>
#include <cstdio>

#include "choose/choose.h"

namespace grapnel::choose {
namespace {

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  if (seconds < 1) {
    std::snprintf(text.data(), text.size(), "%.3g ms", seconds * 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.3g s", seconds);
  }
  return text.data();
}

std::string percent_text(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f %%", share * 100);
  return text.data();
}

std::string line_of(const Candidate& candidate) {
  if (candidate.ruled_out) return candidate.reason;
  if (candidate.asked && !candidate.permitted) return "not permitted: " + candidate.reason;
  if (candidate.asked && !candidate.eligible) return "cannot: " + candidate.reason;
  std::string text = "predicted " + seconds_text(candidate.cost.wall_seconds);
  if (candidate.chosen) text += " for " + percent_text(candidate.file_share) + " of the file";
  text += ": " + candidate.reason;
  if (!candidate.attach_point.empty()) text += "; via " + candidate.attach_point;
  return text;
}

}  // namespace

std::string to_text(const Decision& decision) {
  size_t width = 0;
  for (const Candidate& candidate : decision.candidates) {
    width = std::max(width, candidate.hook.size());
  }
  std::string text;
  for (const Candidate& candidate : decision.candidates) {
    if (!text.empty()) text += '\n';
    text += candidate.chosen ? "* " : "  ";
    text += candidate.hook + std::string(width + 2 - candidate.hook.size(), ' ');
    text += line_of(candidate);
    if (!candidate.cure.empty()) text += "; " + candidate.cure;
  }
  return text;
}

}  // namespace grapnel::choose
