#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/writers.h"
#include "grapnel/estimate.h"

namespace grapnel::cli {
namespace {

std::string formatted(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string seconds_text(double seconds) {
  if (seconds == 0) return "-";
  if (seconds < 1e-3) return formatted("%.0f us", 1e6 * seconds);
  if (seconds < 1) return formatted("%.1f ms", 1e3 * seconds);
  return formatted("%.2f s", seconds);
}

std::string padded(std::string text, size_t width, bool right) {
  if (text.size() < width) text.insert(right ? 0 : text.size(), width - text.size(), ' ');
  return text;
}

/// The columns: every term that any way has, in the order of a query.
constexpr const char* kTerms[] = {"connect",  "request",    "plan",   "storage",
                                  "transfer", "processing", "result", "way back"};
constexpr size_t kTermWidth = 11;

std::string term_text(const api::Approach& approach, std::string_view name) {
  for (const api::EstimateTerm& term : approach.terms)
    if (term.name == name) return seconds_text(term.counted);
  return "";
}

void write_text(const std::vector<api::Approach>& approaches, Output& output) {
  size_t widest = 0;
  for (const auto& approach : approaches) widest = std::max(widest, approach.name.size());
  std::string head = padded("", widest, false) + padded("total", kTermWidth, true);
  for (const char* name : kTerms) head += padded(name, kTermWidth, true);
  output.write(head + "\n");
  for (const auto& approach : approaches) {
    std::string line = padded(approach.name, widest, false) +
                       padded(seconds_text(approach.total_seconds), kTermWidth, true);
    for (const char* name : kTerms) line += padded(term_text(approach, name), kTermWidth, true);
    output.write(line + "\n");
  }
  output.write("storage, transfer and processing overlap: shown is what each adds to the total\n");
}

/// An array with one object per line.
void write_json(const std::vector<api::Approach>& approaches, Output& output) {
  std::string text = "[";
  for (const auto& approach : approaches) {
    text += &approach == approaches.data() ? "\n{\"approach\": " : ",\n{\"approach\": ";
    append_json_string(text, approach.name);
    text += formatted(", \"total_seconds\": %.9g", approach.total_seconds) + ", \"bottleneck\": ";
    append_json_string(text, approach.bottleneck);
    text += ", \"terms\": [";
    for (const auto& term : approach.terms) {
      text += &term == approach.terms.data() ? "{\"name\": " : ", {\"name\": ";
      append_json_string(text, term.name);
      text += formatted(", \"seconds\": %.9g", term.seconds) +
              formatted(", \"counted\": %.9g}", term.counted);
    }
    text += "]}";
  }
  output.write(text + "\n]\n");
}

}  // namespace

int run_estimate(const EstimateCommand& command) {
  const auto approaches = api::estimate(command.input);
  if (!approaches.ok()) return report(approaches.error());
  Output output(STDOUT_FILENO);
  switch (command.format) {
    case EstimateFormat::table:
      write_text(*approaches, output);
      break;
    case EstimateFormat::json:
      write_json(*approaches, output);
      break;
    case EstimateFormat::svg:
      output.write(api::estimate_svg(command.input, *approaches));
      break;
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
