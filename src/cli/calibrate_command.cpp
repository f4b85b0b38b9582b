#include "grapnel/calibrate.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/calibrate_arguments.h"
#include "cli/commands.h"
#include "cli/number_text.h"
#include "cli/output.h"
#include "cli/text_table.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

std::string age_text(double seconds) {
  if (seconds < 90) return formatted("%.0f s", std::max(seconds, 0.0));
  if (seconds < 5400) return formatted("%.0f min", seconds / 60);
  return seconds < 129600 ? formatted("%.0f h", seconds / 3600)
                          : formatted("%.0f d", seconds / 86400);
}

const char* meaning(std::string_view kind) {
  const std::pair<std::string_view, const char*> all[] = {
      {"access", "getting at cached bytes, CPU"},
      {"op", "an op on cached bytes, CPU"},
      {"device", "uncached bytes, as 'direct' reads them"},
      {"queue", "fastest block size and depth of the device"},
      {"setup", "once per scan"},
      {"extent", "once per extent"},
      {"link", "the way from a server"},
      {"learnt op", "an op, as scans found it"},
      {"learnt device", "uncached bytes, as scans found them"}};
  for (const auto& [name, text] : all) {
    if (name == kind) return text;
  }
  return "";
}

void write_text(const api::Calibration& all, Output& output) {
  std::vector<std::vector<std::string>> rows{{"what", "kind", "of", "value", "+-", "age", ""}};
  for (const auto& figure : all.figures) {
    const bool learnt = figure.kind.compare(0, 6, "learnt") == 0;
    rows.push_back({figure.what, figure.kind, figure.where, figure.text,
                    learnt ? "" : percent_text(figure.spread), age_text(figure.age_seconds),
                    figure.contradicted ? "contradicted by scans" : meaning(figure.kind)});
  }
  output.write(align_columns(rows));
  if (all.figures.empty()) output.write("nothing has been measured yet: grapnel calibrate\n");
  for (const auto& note : all.notes) output.write("note: " + note + "\n");
  if (all.seconds > 0) output.write(formatted("measured in %.1f s", all.seconds) + "\n");
  if (!all.kept_in.empty()) {
    output.write("kept in " + all.kept_in + "\n");
  } else {
    output.write("not kept: " + all.problem + "\n");
  }
  if (all.needed) output.write("a calibration is needed: grapnel calibrate\n");
}

void append_field(std::string& text, const char* name, const std::string& value) {
  text += std::string("\"") + name + "\": ";
  append_json_string(text, value);
  text += ", ";
}

/// One object; its figures one per line.
void write_json(const api::Calibration& all, Output& output) {
  std::string text = "{";
  append_field(text, "kept_in", all.kept_in);
  append_field(text, "problem", all.problem);
  text += formatted("\"seconds\": %.3f, ", all.seconds);
  text += std::string("\"needed\": ") + (all.needed ? "true" : "false") + ", \"notes\": [";
  for (const auto& note : all.notes) {
    if (&note != all.notes.data()) text += ", ";
    append_json_string(text, note);
  }
  text += "], \"figures\": [";
  for (const auto& figure : all.figures) {
    text += &figure == all.figures.data() ? "\n{" : ",\n{";
    append_field(text, "what", figure.what);
    append_field(text, "kind", figure.kind);
    append_field(text, "where", figure.where);
    append_field(text, "unit", figure.unit);
    text += formatted("\"value\": %.9g, ", figure.value) +
            formatted("\"second_value\": %.9g, ", figure.second_value) +
            formatted("\"spread\": %.4g, ", figure.spread) +
            formatted("\"age_seconds\": %.0f, ", figure.age_seconds) +
            "\"contradicted\": " + (figure.contradicted ? "true}" : "false}");
  }
  output.write(text + "\n]}\n");
}

}  // namespace

void describe_calibrate(CLI::App& app, CalibrateCommand& command) {
  app.footer(
      "Takes some seconds, uses an unnamed file of 50 MB in the cache directory (or --dir) and "
      "evicts\n"
      "nobody's pages. Kept for 30 days, for this machine, kernel and version; scans that are "
      "three\n"
      "times in a row twice as slow or fast as calibrated (of an op four times) mark a figure as\n"
      "contradicted.");
  app.add_flag("--show", command.show, "print what is known, measure nothing");
  app.add_flag("--if-needed", command.if_needed,
               "measure only if what would be measured is not known, or old or contradicted");
  app.add_option("--dir", command.options.directory, "a directory on the device to be measured")
      ->type_name("DIR");
  add_server(app, command.options.on, "measure the link to this server, and nothing else");
  app.add_flag_callback(
      "--json", [&command] { command.format = OutputFormat::json; }, "as a JSON object");
}

int run_calibrate(const CalibrateCommand& command) {
  api::Calibration all = api::known_calibration(command.options);
  const bool measure = !command.show && (!command.if_needed || all.needed);
  if (measure) {
    auto measured = api::calibrate(command.options);
    if (!measured) return report(measured.error());
    all = *std::move(measured);
  }
  Output output(STDOUT_FILENO);
  if (command.format == OutputFormat::json) {
    write_json(all, output);
  } else {
    write_text(all, output);
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
