#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/estimate_arguments.h"
#include "cli/number_text.h"
#include "cli/output.h"
#include "cli/writers.h"
#include "grapnel/where.h"

namespace grapnel::cli {
namespace {

/// Digits behind the point, so that the terms of a column can be compared.
std::string term_seconds_text(double seconds) {
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
constexpr const char* kTerms[] = {"connect",  "request",    "plan",   "setup",   "storage",
                                  "transfer", "processing", "result", "way back"};
constexpr size_t kTermWidth = 11;

std::string term_text(const api::Approach& approach, std::string_view name) {
  for (const api::EstimateTerm& term : approach.terms)
    if (term.name == name) return term_seconds_text(term.counted);
  return "";
}

std::string rate_text(double bytes_per_second) { return bytes_text(bytes_per_second) + "/s"; }

/// What the model was told.
std::string input_text(const api::EstimateInput& in) {
  return bytes_text(in.file_bytes) + ", " + formatted("%.0f %% cached", 100 * in.cached_share) +
         "; storage " + rate_text(in.devices * in.device_bytes_per_second) + "; link " +
         rate_text(in.link_bytes_per_second) + ", " + seconds_text(in.rtt_seconds) +
         " round trip; result " + bytes_text(in.result_bytes) + "\n";
}

void write_text(const api::EstimateInput& in, const std::vector<api::Approach>& approaches,
                Output& output) {
  output.write(input_text(in));
  size_t widest = 0;
  for (const auto& approach : approaches) widest = std::max(widest, approach.name.size());
  std::string head = padded("", widest, false) + padded("total", kTermWidth, true);
  for (const char* name : kTerms) head += padded(name, kTermWidth, true);
  output.write(head + "\n");
  for (const auto& approach : approaches) {
    std::string line = padded(approach.name, widest, false) +
                       padded(term_seconds_text(approach.total_seconds), kTermWidth, true);
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

/// The model's parameters: by the options, or found out and then corrected by them.
api::Result<api::EstimateInput> parameters(const EstimateCommand& command) {
  api::Result<api::EstimateInput> input = command.input;
  if (!command.sql.empty()) {
    input = api::estimate_query(command.sql, command.on, command.input);
    if (!input) return input;
  }
  if (auto wrong = apply_given(command, *input)) return *std::move(wrong);
  return input;
}

}  // namespace

int run_estimate(const EstimateCommand& command) {
  const auto input = parameters(command);
  if (!input) return report(input.error(), command.sql);
  const auto approaches = api::estimate(*input);
  if (!approaches.ok()) return report(approaches.error());
  Output output(STDOUT_FILENO);
  switch (command.format) {
    case EstimateFormat::table:
      write_text(*input, *approaches, output);
      break;
    case EstimateFormat::json:
      write_json(*approaches, output);
      break;
    case EstimateFormat::svg:
      output.write(api::estimate_svg(*input, *approaches));
      break;
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
