#include "where/plots.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/number_text.h"

namespace grapnel::api {
namespace {

constexpr double kWidth = 860;
constexpr double kLeft = 110;
constexpr double kRight = 40;
constexpr const char* kInk = "#1c2733";
constexpr const char* kQuiet = "#6b7785";
constexpr const char* kGrid = "#e3e7ec";
constexpr const char* kPredicted = "#b9c7d6";
constexpr const char* kUserSpace = "#2e7d5b";
constexpr const char* kKernel = "#2563a8";
constexpr const char* kPick = "#c2571a";

std::string number(double value, int digits = 1) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string text_at(double x, double y, const std::string& text, const std::string& more = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + more + ">" + escaped(text) +
         "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const std::string& more) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" " + more + "/>\n";
}

std::string stroke(const char* colour, double width = 1) {
  return std::string("stroke=\"") + colour + "\" stroke-width=\"" + number(width) + "\"";
}

std::string fill(const char* colour) { return std::string("fill=\"") + colour + "\""; }

std::string figure(double height, const std::string& title, const std::string& content) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth, 0) + " " +
         number(height, 0) + "\" width=\"" + number(kWidth, 0) + "\" height=\"" +
         number(height, 0) +
         "\" role=\"img\" font-family=\"'Source Sans 3','Helvetica Neue',Arial,sans-serif\" "
         "font-size=\"13\">\n<title>" +
         escaped(title) + "</title>\n" + content + "</svg>\n";
}

/// Round values of a logarithmic axis that holds all of `values`.
class LogScale {
 public:
  LogScale(const std::vector<double>& values, double begin, double end) : begin_(begin), end_(end) {
    double least = 1e300;
    double most = 0;
    for (const double value : values) {
      if (value <= 0) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    if (most <= 0) least = most = 1;
    low_ = least / 1.6;
    high_ = most * 1.6;
  }
  [[nodiscard]] double at(double value) const {
    const double share = std::log(std::max(value, low_) / low_) / std::log(high_ / low_);
    return begin_ + share * (end_ - begin_);
  }
  /// 1, 2, 5, 10, ...; only powers of ten where there are many.
  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> all;
    const bool wide = high_ / low_ > 300;
    const int last = static_cast<int>(std::floor(std::log10(high_)));
    for (int exponent = static_cast<int>(std::floor(std::log10(low_))); exponent <= last;
         exponent++) {
      const double power = std::pow(10, exponent);
      for (const double step : {1.0, 2.0, 5.0}) {
        if (wide && step > 1) continue;
        if (power * step >= low_ && power * step <= high_) all.push_back(power * step);
      }
    }
    return all;
  }

 private:
  double begin_, end_, low_ = 1, high_ = 1;
};

const char* colour_of(const WhereTable& table, const WhereRow& row) {
  if (row.hook == table.pick) return kPick;
  return row.in_kernel ? kKernel : kUserSpace;
}

std::vector<const WhereRow*> usable_rows(const WhereTable& table) {
  std::vector<const WhereRow*> rows;
  for (const WhereRow& row : table.rows) {
    if (row.usable() && row.measured.refusal.empty()) rows.push_back(&row);
  }
  return rows;
}

std::string swatch(double x, double y, const char* colour, const std::string& text) {
  return "<rect x=\"" + number(x) + "\" y=\"" + number(y - 9) +
         "\" width=\"11\" height=\"11\" rx=\"2\" " + fill(colour) + "/>\n" +
         text_at(x + 16, y + 1, text, fill(kQuiet));
}

std::string colour_legend(double x, double y) {
  return swatch(x, y, kUserSpace, "user space") + swatch(x + 105, y, kKernel, "in the kernel") +
         swatch(x + 225, y, kPick, "the pick");
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::string times_plot(const WhereTable& table) {
  const auto rows = usable_rows(table);
  constexpr double kTop = 44;
  constexpr double kStep = 46;
  const double bottom = kTop + kStep * static_cast<double>(rows.size());
  std::vector<double> values;
  for (const WhereRow* row : rows) {
    values.push_back(row->predicted.wall_seconds);
    if (row->measured.rounds == 0) continue;
    values.push_back(row->measured.cost.wall_seconds * (1 + row->measured.wall_spread));
  }
  const LogScale x(values, kLeft, kWidth - kRight - 70);
  std::string content;
  for (const double tick : x.ticks()) {
    content += line(x.at(tick), kTop - 6, x.at(tick), bottom, stroke(kGrid)) +
               text_at(x.at(tick), bottom + 18, seconds_text(tick),
                       fill(kQuiet) + " text-anchor=\"middle\"");
  }
  double y = kTop;
  const auto bar = [&](double top, double height, double seconds, const char* colour) {
    return "<rect x=\"" + number(kLeft) + "\" y=\"" + number(top) + "\" width=\"" +
           number(std::max(1.0, x.at(seconds) - kLeft)) + "\" height=\"" + number(height) +
           "\" rx=\"2\" " + fill(colour) + "/>\n";
  };
  for (const WhereRow* row : rows) {
    const bool measured = row->measured.rounds > 0;
    content += text_at(kLeft - 10, y + 23, row->hook,
                       fill(kInk) + " text-anchor=\"end\" font-weight=\"600\"");
    content += bar(y + 5, measured ? 11 : 24, row->predicted.wall_seconds,
                   measured ? kPredicted : colour_of(table, *row));
    double end = row->predicted.wall_seconds;
    if (measured) {
      const double wall = row->measured.cost.wall_seconds;
      const double spread = wall * row->measured.wall_spread;
      content += bar(y + 18, 14, wall, colour_of(table, *row));
      content += line(x.at(wall - spread), y + 25, x.at(wall + spread), y + 25, stroke(kInk, 1.5));
      end = wall + spread;
    }
    content += text_at(x.at(end) + 8, y + (measured ? 30 : 22),
                       seconds_text(measured ? row->measured.cost.wall_seconds : end), fill(kInk));
    y += kStep;
  }
  content += line(kLeft, kTop - 6, kLeft, bottom, stroke(kInk));
  content += colour_legend(kLeft, 18);
  if (table.measured)
    content += swatch(kLeft + 320, 18, kPredicted, "predicted; below it measured, with quartiles");
  content +=
      text_at((kLeft + kWidth - kRight) / 2, bottom + 40, "wall time of the scan (logarithmic)",
              fill(kQuiet) + " text-anchor=\"middle\"");
  return figure(bottom + 52, "Wall time of each hook", content);
}

std::string stability_plot(const WhereTable& table) {
  const auto rows = usable_rows(table);
  constexpr double kTop = 44;
  constexpr double kStep = 52;
  constexpr double kPlotLeft = 290;
  static constexpr const char* kGround[] = {
      "system calls only", "a tracepoint and its values", "a BPF program type, structures by BTF",
      "a tracepoint, structures by BTF", "a kernel function that may go"};
  const double bottom = kTop + kStep * 5;
  std::vector<double> rates;
  const auto rate = [&](const WhereRow& row) {
    return static_cast<double>(table.data_bytes) / std::max(row.wall_seconds(), 1e-9);
  };
  rates.reserve(rows.size());
  for (const WhereRow* row : rows) rates.push_back(rate(*row));
  const LogScale x(rates, kPlotLeft, kWidth - kRight - 40);
  std::string content;
  for (const double tick : x.ticks()) {
    char label[48];
    std::snprintf(label, sizeof label, tick >= 1e9 ? "%.3g GB/s" : "%.3g MB/s",
                  tick >= 1e9 ? tick / 1e9 : tick / 1e6);
    content += line(x.at(tick), kTop, x.at(tick), bottom, stroke(kGrid)) +
               text_at(x.at(tick), bottom + 18, label, fill(kQuiet) + " text-anchor=\"middle\"");
  }
  for (int rank = 0; rank < 5; rank++) {
    const double y = kTop + kStep * (rank + 0.5);
    content += line(kPlotLeft, y, kWidth - kRight, y, stroke(kGrid) + " stroke-dasharray=\"2 4\"");
    content += text_at(kPlotLeft - 12, y + 4, kGround[rank], fill(kInk) + " text-anchor=\"end\"");
  }
  // Labels of one row that would meet go above, below and further above in turn.
  std::vector<double> last(5, -1e9);
  std::vector<int> level(5, 0);
  constexpr double kLabelAt[] = {-11, 21, -24};
  std::vector<const WhereRow*> order = rows;
  std::sort(order.begin(), order.end(),
            [&](const WhereRow* a, const WhereRow* b) { return rate(*a) < rate(*b); });
  for (const WhereRow* row : order) {
    const unsigned rank = std::min(row->foundation_rank, 4U);
    const double px = x.at(rate(*row));
    const double py = kTop + kStep * (rank + 0.5);
    level[rank] = px - last[rank] < 75 ? (level[rank] + 1) % 3 : 0;
    last[rank] = px;
    content += "<circle cx=\"" + number(px) + "\" cy=\"" + number(py) + "\" r=\"6\" " +
               fill(colour_of(table, *row)) + "/>\n";
    content += text_at(px, py + kLabelAt[level[rank]], row->hook,
                       fill(kInk) + " text-anchor=\"middle\" font-weight=\"600\"");
  }
  content += text_at(kPlotLeft - 12, kTop - 8, "steadier",
                     fill(kQuiet) + " text-anchor=\"end\" font-style=\"italic\"");
  content += text_at(
      (kPlotLeft + kWidth - kRight) / 2, bottom + 40,
      table.measured ? "throughput, measured (logarithmic)" : "throughput, predicted (logarithmic)",
      fill(kQuiet) + " text-anchor=\"middle\"");
  content += colour_legend(kPlotLeft, 18);
  return figure(bottom + 52, "Steadiness against speed", content);
}

std::string cache_plot(const WhereTable& table) {
  const auto rows = usable_rows(table);
  constexpr double kTop = 26;
  constexpr double kHeight = 330;
  constexpr double kPlotLeft = 90;
  const double bottom = kTop + kHeight;
  const double right = kWidth - 130;
  std::vector<double> values;
  for (const WhereRow* row : rows) {
    values.push_back(row->if_uncached.wall_seconds);
    if (row->sees_cached) values.push_back(row->if_cached.wall_seconds);
  }
  const LogScale y(values, bottom, kTop);
  const auto x = [&](double share) { return kPlotLeft + share * (right - kPlotLeft); };
  std::string content;
  for (const double tick : y.ticks()) {
    content += line(kPlotLeft, y.at(tick), right, y.at(tick), stroke(kGrid)) +
               text_at(kPlotLeft - 10, y.at(tick) + 4, seconds_text(tick),
                       fill(kQuiet) + " text-anchor=\"end\"");
  }
  for (int percent = 0; percent <= 100; percent += 25) {
    content += text_at(x(percent / 100.0), bottom + 18, std::to_string(percent) + " %",
                       fill(kQuiet) + " text-anchor=\"middle\"");
  }
  // Where the file is now.
  if (table.cached_share >= 0) {
    content += line(x(table.cached_share), kTop, x(table.cached_share), bottom,
                    stroke(kPick, 1.2) + " stroke-dasharray=\"5 4\"");
    content += text_at(x(table.cached_share) + (table.cached_share > 0.5 ? -6 : 6), kTop + 10,
                       "this file now",
                       fill(kPick) + (table.cached_share > 0.5 ? " text-anchor=\"end\"" : ""));
  }
  struct Label {
    double y;
    const WhereRow* row;
  };
  std::vector<Label> labels;
  for (const WhereRow* row : rows) {
    std::string points;
    constexpr int kParts = 40;
    for (int i = 0; i <= (row->sees_cached ? kParts : 0); i++) {
      const double share = static_cast<double>(i) / kParts;
      const double wall =
          share * row->if_cached.wall_seconds + (1 - share) * row->if_uncached.wall_seconds;
      points += number(x(share)) + "," + number(y.at(wall)) + " ";
    }
    if (!row->sees_cached) {
      content += "<circle cx=\"" + number(x(0)) + "\" cy=\"" +
                 number(y.at(row->if_uncached.wall_seconds)) + "\" r=\"4\" " +
                 fill(colour_of(table, *row)) + "/>\n" +
                 text_at(x(0) + 8, y.at(row->if_uncached.wall_seconds) + 14,
                         row->hook + " (sees only what is not cached)", fill(kQuiet));
      continue;
    }
    content += "<polyline points=\"" + points + "\" fill=\"none\" " +
               stroke(colour_of(table, *row), row->hook == table.pick ? 2.6 : 1.6) +
               (row->by_default ? "" : " stroke-dasharray=\"6 3\"") + "/>\n";
    labels.push_back({y.at(row->if_cached.wall_seconds), row});
  }
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  double least = -1e9;
  for (Label& label : labels) {
    const double at = std::max(label.y, least + 15);
    least = at;
    content += line(right + 2, label.y, right + 14, at, stroke(kGrid)) +
               text_at(right + 18, at + 4, label.row->hook,
                       fill(colour_of(table, *label.row)) + " font-weight=\"600\"");
  }
  content += line(kPlotLeft, kTop, kPlotLeft, bottom, stroke(kInk)) +
             line(kPlotLeft, bottom, right, bottom, stroke(kInk));
  content += text_at((kPlotLeft + right) / 2, bottom + 40,
                     "share of the file that is in the page cache; dashed: taken only when named",
                     fill(kQuiet) + " text-anchor=\"middle\"");
  return figure(bottom + 52, "Predicted wall time over the cached share", content);
}

}  // namespace grapnel::api
