#include <algorithm>
#include <map>
#include <string>

#include "base/number_text.h"
#include "grapnel/estimate.h"

namespace grapnel::api {
namespace {

constexpr double kWidth = 920, kLeft = 250, kRight = 110, kTop = 74, kRow = 24, kBar = 16;

const std::map<std::string, const char*>& colours() {
  static const std::map<std::string, const char*> all{
      {"connect", "#8a8f98"}, {"request", "#b8bcc4"},  {"plan", "#d9c36a"},
      {"storage", "#2e8b57"}, {"transfer", "#c2571a"}, {"processing", "#1f6fb2"},
      {"result", "#e39a6b"},  {"way back", "#d5d8dd"}, {"setup", "#8c6bb1"}};
  return all;
}

std::string text_at(double x, double y, const std::string& text, const char* more = "") {
  return "<text x=\"" + formatted("%.1f", x) + "\" y=\"" + formatted("%.1f", y) + "\" " + more +
         ">" + text + "</text>";
}

std::string box(double x, double y, double width, const char* colour, const std::string& title) {
  return "<rect x=\"" + formatted("%.2f", x) + "\" y=\"" + formatted("%.1f", y) + "\" width=\"" +
         formatted("%.2f", width) + "\" height=\"" + formatted("%.0f", kBar) + "\" fill=\"" +
         colour + "\"><title>" + title + "</title></rect>";
}

std::string legend() {
  std::string parts;
  double x = kLeft;
  for (const auto& [name, colour] : colours()) {
    parts += box(x, 40, 12, colour, name) + text_at(x + 16, 52, name);
    x += 26 + 6.5 * static_cast<double>(name.size());
  }
  return parts;
}

std::string bar(const Approach& approach, double y, double scale) {
  std::string parts = text_at(kLeft - 8, y + 12, approach.name, "text-anchor=\"end\"");
  double x = kLeft;
  for (const EstimateTerm& term : approach.terms) {
    const auto colour = colours().find(term.name);
    const double width = term.counted * scale;
    parts += box(x, y, width, colour == colours().end() ? "#666" : colour->second,
                 term.name + " " + formatted("%.4g s", term.counted));
    x += width;
  }
  return parts + text_at(x + 6, y + 12, formatted("%.3g s", approach.total_seconds));
}

}  // namespace

std::string estimate_svg(const EstimateInput& input, const std::vector<Approach>& approaches) {
  double longest = 1e-9;
  for (const Approach& approach : approaches) longest = std::max(longest, approach.total_seconds);
  const double scale = (kWidth - kLeft - kRight) / longest;
  const double height = kTop + kRow * static_cast<double>(approaches.size()) + 12;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
                    formatted("%.0f", kWidth) + "\" height=\"" + formatted("%.0f", height) +
                    "\" font-family=\"sans-serif\" font-size=\"12\">"
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>";
  svg += text_at(12, 22,
                 formatted("%.3g GB", input.file_bytes / 1e9) + ", " +
                     formatted("%.0f %%", 100 * input.cached_share) + " cached; link " +
                     formatted("%.3g GB/s", input.link_bytes_per_second / 1e9) + ", " +
                     formatted("%.3g ms", 1e3 * input.rtt_seconds) + " round trip; storage " +
                     formatted("%.3g GB/s", input.devices * input.device_bytes_per_second / 1e9),
                 "font-weight=\"600\" font-size=\"14\"");
  svg += legend();
  double y = kTop;
  for (const Approach& approach : approaches) {
    svg += bar(approach, y, scale);
    y += kRow;
  }
  return svg + "</svg>\n";
}

}  // namespace grapnel::api
