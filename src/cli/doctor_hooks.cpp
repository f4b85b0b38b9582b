// `grapnel doctor --hooks`: attach points and what the kernel answers, as tables with numbered
// reasons, or as JSON.
#include <unistd.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/text_table.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

using api::AttachPoint;
using Row = std::vector<std::string>;

/// The reasons of one table, each with a number.
class Reasons {
 public:
  std::string mark(const AttachPoint::Way& way) {
    if (way.ok) return "yes";
    auto found = std::find(texts_.begin(), texts_.end(), way.reason);
    if (found == texts_.end()) found = texts_.insert(found, way.reason);
    return "no [" + std::to_string(found - texts_.begin() + 1) + "]";
  }
  [[nodiscard]] std::string text() const {
    std::string lines;
    for (size_t i = 0; i < texts_.size(); i++)
      lines += "  [" + std::to_string(i + 1) + "] " + texts_[i] + "\n";
    return lines;
  }

 private:
  std::vector<std::string> texts_;
};

std::string releases(const AttachPoint& point) {
  if (!point.since.empty() && !point.until.empty()) return point.since + " - " + point.until;
  if (!point.since.empty()) return point.since + " -";
  return point.until.empty() ? "" : "- " + point.until;
}

Row make_row(const AttachPoint& point, Reasons& reasons) {
  Row row{point.name, point.area};
  if (!point.types.empty()) row.push_back(point.types);
  if (!point.symbol.empty()) row.push_back(point.symbol.substr(0, point.symbol.find(' ')));
  for (const auto& way : point.ways) row.push_back(reasons.mark(way));
  row.push_back(releases(point));
  return row;
}

/// One table for a kind; `points` are all of that kind.
std::string table(const std::vector<AttachPoint>& points) {
  const AttachPoint& first = points.front();
  Row header{first.kind, "area"};
  if (!first.types.empty()) header.emplace_back("in BTF");
  if (!first.symbol.empty()) header.emplace_back("symbol");
  for (const auto& way : first.ways) header.push_back(way.name == "use" ? "works" : way.name);
  header.emplace_back("releases");
  Reasons reasons;
  std::vector<Row> rows{header};
  for (const auto& point : points) rows.push_back(make_row(point, reasons));
  return align_columns(rows, "  ") + reasons.text();
}

void write_text(const std::vector<AttachPoint>& points, Output& output) {
  for (auto from = points.begin(); from != points.end();) {
    const auto to = std::find_if(from, points.end(),
                                 [&](const auto& point) { return point.kind != from->kind; });
    if (from != points.begin()) output.write("\n");
    output.write(table({from, to}));
    from = to;
  }
}

void append_member(std::string& text, std::string_view name, std::string_view value) {
  text += text.back() == '{' ? "" : ", ";
  append_json_string(text, name);
  text += ": ";
  append_json_string(text, value);
}

/// An array with one object per line.
void write_json(const std::vector<AttachPoint>& points, Output& output) {
  std::string text = "[";
  for (const auto& point : points) {
    text += &point == points.data() ? "\n{" : ",\n{";
    append_member(text, "kind", point.kind);
    append_member(text, "name", point.name);
    append_member(text, "area", point.area);
    append_member(text, "since", point.since);
    append_member(text, "until", point.until);
    append_member(text, "changed", point.changed);
    append_member(text, "types", point.types);
    append_member(text, "symbol", point.symbol);
    text += ", \"ways\": {";
    for (const auto& way : point.ways) {
      text += &way == point.ways.data() ? "" : ", ";
      append_json_string(text, way.name);
      text += way.ok ? ": {\"ok\": true" : ": {\"ok\": false";
      append_member(text, "reason", way.reason);
      text += "}";
    }
    text += "}}";
  }
  output.write(text + "\n]\n");
}

}  // namespace

int run_doctor_hooks(const DoctorCommand& command) {
  const auto points = api::probe_attach_points();
  Output output(STDOUT_FILENO);
  if (command.format == OutputFormat::json) {
    write_json(points, output);
  } else {
    write_text(points, output);
  }
  if (const auto error = output.finish()) return report(*error);
  return kExitOk;
}

}  // namespace grapnel::cli
