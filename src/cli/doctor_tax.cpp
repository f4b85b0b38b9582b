// `grapnel doctor --tax`: what hooks cost those who have nothing to do with them.
#include <unistd.h>

#include <cmath>

#include "cli/commands.h"
#include "cli/number_text.h"
#include "cli/output.h"
#include "cli/text_table.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

/// "+58", "-2", "0".
std::string signed_text(double nanoseconds) {
  const double rounded = std::round(nanoseconds);
  return rounded == 0 ? "0" : formatted("%+.0f", rounded);
}

std::vector<std::string> row_of(const api::Tax& tax) {
  if (!tax.reason.empty()) return {tax.hook, "", "", "", "not measured: " + tax.reason};
  if (tax.place.empty()) return {tax.hook, "0", "0", "0", "sits where nobody else passes"};
  const std::string request = tax.request_ns ? signed_text(*tax.request_ns) : "";
  return {tax.hook, signed_text(tax.call_ns), signed_text(tax.read_ns), request,
          "via " + tax.place};
}

void write_text(const api::Taxes& taxes, Output& output) {
  output.write(
      "What work that has nothing to do with it pays while a hook is at work, in nanoseconds.\n"
      "Without one: the shortest system call " +
      formatted("%.0f", taxes.call_ns) + ", a cached read of 4 KiB " +
      formatted("%.0f", taxes.read_ns) + ".\n");
  std::vector<std::vector<std::string>> rows{
      {"hook", "system call", "cached read", "block request", ""}};
  for (const api::Tax& tax : taxes.hooks) rows.push_back(row_of(tax));
  output.write(align_columns(rows, "  "));
}

void append_number(std::string& text, const char* name, double value) {
  text += std::string(", \"") + name + formatted("\": %.1f", value);
}

/// {"call_ns": ..., "read_ns": ..., "hooks": [one object per line]}
void write_json(const api::Taxes& taxes, Output& output) {
  std::string text = "{\"unit\": \"ns\"";
  append_number(text, "call_ns", taxes.call_ns);
  append_number(text, "read_ns", taxes.read_ns);
  text += ", \"hooks\": [";
  for (const api::Tax& tax : taxes.hooks) {
    text += &tax == taxes.hooks.data() ? "\n{\"hook\": " : ",\n{\"hook\": ";
    append_json_string(text, tax.hook);
    text += ", \"place\": ";
    append_json_string(text, tax.place);
    text += ", \"reason\": ";
    append_json_string(text, tax.reason);
    if (tax.reason.empty()) {
      append_number(text, "call_ns", tax.call_ns);
      append_number(text, "read_ns", tax.read_ns);
    }
    if (tax.request_ns) append_number(text, "request_ns", *tax.request_ns);
    text += "}";
  }
  output.write(text + "\n]}\n");
}

}  // namespace

int run_doctor_tax(const DoctorCommand& command) {
  const auto taxes = api::measure_taxes();
  if (!taxes.ok()) return report(taxes.error());
  Output output(STDOUT_FILENO);
  if (command.format == OutputFormat::json) {
    write_json(*taxes, output);
  } else {
    write_text(*taxes, output);
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
