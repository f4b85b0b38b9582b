#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/number_text.h"
#include "cli/output.h"
#include "cli/sql_text.h"
#include "cli/text_table.h"
#include "cli/text_width.h"
#include "cli/writers.h"
#include "grapnel/where.h"

namespace grapnel::cli {
namespace {

using api::WhereRow;
using api::WhereTable;
using Cells = std::vector<std::string>;

constexpr size_t kUsualWidth = 100;

const char* yes_no(bool yes) { return yes ? "yes" : "no"; }

/// Words of `text` in lines of at most `width` columns; the first begins with `label`, the others
/// below its text.
std::string wrapped(const std::string& label, const std::string& text, size_t width) {
  std::string lines;
  std::string line = label;
  const std::string indent(display_width(label), ' ');
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = printable(text.substr(at, end - at));
    if (line.size() > indent.size() && display_width(line) + 1 + display_width(word) > width) {
      lines += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
    at = end + 1;
  }
  return lines + line + "\n";
}

std::string marked(const WhereRow& row) { return (row.chosen ? "* " : "  ") + row.hook; }

std::string bytes_if_known(const std::optional<uint64_t>& bytes) {
  return bytes ? bytes_text(static_cast<double>(*bytes)) : "";
}

std::string costs_block(const WhereTable& table) {
  Cells header{"  hook", "may it", "predicted", "CPU", "device"};
  if (table.measured) {
    for (const char* name : {"| measured", "+-", "CPU", "device", "copied", "memory", "cache +"}) {
      header.emplace_back(name);
    }
  }
  std::vector<Cells> costs{header};
  for (const WhereRow& row : table.rows) {
    Cells cells{marked(row), row.may()};
    if (row.usable()) {
      const auto device = static_cast<double>(row.predicted.device_bytes);
      for (std::string& text :
           std::vector<std::string>{seconds_text(row.predicted.wall_seconds),
                                    seconds_text(row.predicted.cpu_seconds), bytes_text(device)}) {
        cells.push_back(std::move(text));
      }
    }
    const api::HookMeasured& measured = row.measured;
    if (measured.rounds > 0) {
      for (std::string& text : std::vector<std::string>{
               "| " + seconds_text(measured.cost.wall_seconds), percent_text(measured.wall_spread),
               seconds_text(measured.cost.cpu_seconds),
               bytes_text(static_cast<double>(measured.cost.device_bytes)),
               bytes_text(static_cast<double>(measured.bytes_copied)),
               bytes_if_known(measured.memory_bytes), bytes_if_known(measured.cache_added_bytes)}) {
        cells.push_back(std::move(text));
      }
    } else if (!measured.refusal.empty()) {
      cells.emplace_back("| refused");
    }
    cells.resize(header.size());
    costs.push_back(std::move(cells));
  }
  return align_columns(costs, "", {2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

std::string sees_block(const WhereTable& table) {
  std::vector<Cells> sees{{"  hook", "cached", "uncached", "copied", "fills cache",
                           "knows the file by", "knows the process by"}};
  for (const WhereRow& row : table.rows) {
    sees.push_back({marked(row), yes_no(row.sees_cached), yes_no(row.sees_uncached),
                    percent_text(row.copied_share), yes_no(row.fills_cache), row.knows_file_by,
                    row.knows_process_by});
  }
  return align_columns(sees);
}

std::string place_block(const WhereTable& table) {
  std::vector<Cells> places{{"  hook", "place", "kind", "since", "bytes", "runs in"}};
  for (const WhereRow& row : table.rows) {
    const std::string bytes =
        std::string(row.exact ? "exact" : "lossy") + (row.pinned ? ", pinned" : "");
    places.push_back({marked(row), row.place(), row.in_kernel ? row.kind : "system call", row.since,
                      bytes, row.context});
  }
  return align_columns(places);
}

std::string tax_block(const WhereTable& table) {
  std::vector<Cells> taxes{{"  hook", "stands on", "what others pay while it runs"}};
  for (const WhereRow& row : table.rows) taxes.push_back({marked(row), row.foundation, row.tax});
  return align_columns(taxes);
}

/// `among`: "" or " in the kernel".
std::string stability_text(const api::StabilityPrice& price, const std::string& among) {
  if (price.stable.empty()) return "no hook" + among + " can be used";
  if (price.stable == price.efficient) {
    return price.stable + " is both the steadiest and the fastest" + among;
  }
  return price.stable + " stands on the steadiest ground" + among + ", " + price.efficient +
         " is the fastest: stability costs " + formatted("%.0f %%", price.percent) + " of time";
}

std::string cached_text(const WhereTable& table) {
  if (table.cached_share < 0) return "what is cached is unknown (" + table.cached_how + ")";
  return percent_text(table.cached_share) + " cached (" + table.cached_how + ")";
}

std::string measured_text(const WhereTable& table) {
  if (table.fastest.empty()) return "no hook could do it";
  std::string text = table.fastest + " was the fastest";
  if (!table.pick_excess) {
    text += "; the pick was not measured";
  } else if (table.fastest == table.pick) {
    text += ", as picked";
  } else {
    text += "; the pick took " + percent_text(*table.pick_excess) + " longer";
  }
  return text + "; all hooks gave the same answer";
}

std::string conclusion(const WhereTable& table, size_t width) {
  std::string text = wrapped("pick       ", table.why, width);
  if (table.measured) {
    text += wrapped("measured   ", measured_text(table), width);
  }
  text += wrapped("stability  ", stability_text(table.everywhere, ""), width);
  text += wrapped("in kernel  ", stability_text(table.in_kernel, " in the kernel"), width);
  for (const WhereRow& row : table.rows) {
    const bool asked_why = !row.usable() || !row.by_default || !row.measured.refusal.empty();
    if (!asked_why) continue;
    std::string why = row.measured.refusal.empty() ? row.reason : row.measured.refusal;
    if (!row.cure.empty()) why += "; " + row.cure;
    std::replace(why.begin(), why.end(), '\n', ' ');
    std::string label = row.hook;
    label.resize(std::max<size_t>(label.size() + 1, 11), ' ');
    text += wrapped(label, why, width);
  }
  for (const std::string& note : table.notes) text += wrapped("note       ", note, width);
  return text;
}

std::string where_text(const WhereTable& table, size_t width) {
  std::string text = wrapped("statement  ", table.sql, width);
  text += wrapped("file       ",
                  table.path + ", " + bytes_text(static_cast<double>(table.file_bytes)) + ", " +
                      cached_text(table) + "; " + table.op_class + ", " + table.program + ", " +
                      std::to_string(table.threads) + (table.threads == 1 ? " thread" : " threads"),
                  width);
  return text + "\n" + costs_block(table) + "\n" + sees_block(table) + "\n" + place_block(table) +
         "\n" + tax_block(table) + "\n" + conclusion(table, width);
}

}  // namespace

int run_where(const WhereCommand& command) {
  const auto sql =
      command.sql.empty() ? api::Result(command.file) : with_table(command.sql, command.file);
  if (!sql) return report(sql.error());
  api::WhereOptions options = command.options;
  options.cancel = &interrupt_token();
  const auto table = [&] {
    const Interruptible while_running;
    return api::where(*sql, options);
  }();
  if (!table) return report(table.error(), *sql);
  Output output(STDOUT_FILENO);
  const size_t terminal = terminal_size().columns;
  const size_t width = terminal == 0 ? kUsualWidth : std::clamp<size_t>(terminal, 60, 120);
  output.write(command.json ? api::where_json(*table) : where_text(*table, width));
  if (const auto error = output.finish()) return report(*error);
  if (!command.html.empty()) {
    const auto error = write_file(command.html, "the page",
                                  [&table](Output& page) { page.write(api::where_html(*table)); });
    if (error) return report(*error);
  }
  return kExitOk;
}

}  // namespace grapnel::cli
