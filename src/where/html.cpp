// The decision table as a page of its own.
#include "base/number_text.h"
#include "grapnel/where.h"
#include "where/plots.h"

namespace grapnel::api {
namespace {

constexpr const char* kStyle = R"css(
:root { color-scheme: light; }
body { font: 16px/1.5 'Source Sans 3','Helvetica Neue',Arial,sans-serif; color: #1c2733;
       max-width: 1080px; margin: 2.5rem auto; padding: 0 1.5rem; background: #fff; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
p { max-width: 46rem; }
pre { background: #f5f7f9; border-left: 3px solid #c2571a; padding: .7rem 1rem; overflow-x: auto;
      white-space: pre-wrap; font-size: .9rem; }
figure { margin: 1.2rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption { color: #6b7785; font-size: .9rem; max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; width: 100%; }
th, td { text-align: left; padding: .32rem .7rem .32rem 0; border-bottom: 1px solid #e3e7ec;
         vertical-align: top; }
th { border-bottom: 1.5px solid #1c2733; font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { font-weight: 600; white-space: nowrap; }
tr.pick td:first-child { color: #c2571a; }
tr.off td { color: #8a939d; }
.lead { font-size: 1.1rem; } .quiet { color: #6b7785; }
)css";

std::string bytes_if_known(const std::optional<uint64_t>& bytes) {
  return bytes ? bytes_text(static_cast<double>(*bytes)) : "";
}

/// A table whose cells are escaped here.
class HtmlTable {
 public:
  void header(const std::vector<std::string>& names, size_t numbers_from) {
    numbers_from_ = numbers_from;
    add("th", names, "");
  }
  void row(const std::vector<std::string>& cells, const std::string& row_class) {
    add("td", cells, row_class);
  }
  [[nodiscard]] std::string html() const {
    return "<div class=\"scroll\"><table>\n" + rows_ + "</table></div>\n";
  }

 private:
  void add(const char* tag, const std::vector<std::string>& cells, const std::string& row_class) {
    rows_ += row_class.empty() ? "<tr>" : "<tr class=\"" + row_class + "\">";
    for (size_t i = 0; i < cells.size(); i++) {
      rows_ += std::string("<") + tag + (i >= numbers_from_ ? " class=\"n\">" : ">") +
               escaped(cells[i]) + "</" + tag + ">";
    }
    rows_ += "</tr>\n";
  }
  std::string rows_;
  size_t numbers_from_ = SIZE_MAX;
};

std::string class_of(const WhereTable& table, const WhereRow& row) {
  if (row.hook == table.pick) return "pick";
  return row.usable() ? "" : "off";
}

std::string yes_no(bool yes) { return yes ? "yes" : "no"; }

std::string costs_table(const WhereTable& table) {
  HtmlTable html;
  std::vector<std::string> names{"hook", "may it", "predicted", "its CPU", "its device"};
  if (table.measured) {
    for (const char* name : {"measured", "±", "CPU", "device", "copied", "memory", "cache +"}) {
      names.emplace_back(name);
    }
  }
  html.header(names, 2);
  for (const WhereRow& row : table.rows) {
    std::vector<std::string> cells{row.hook, row.may()};
    if (row.usable()) {
      cells.push_back(seconds_text(row.predicted.wall_seconds));
      cells.push_back(seconds_text(row.predicted.cpu_seconds));
      cells.push_back(bytes_text(static_cast<double>(row.predicted.device_bytes)));
    }
    const HookMeasured& measured = row.measured;
    if (measured.rounds > 0) {
      cells.push_back(seconds_text(measured.cost.wall_seconds));
      cells.push_back(percent_text(measured.wall_spread));
      cells.push_back(seconds_text(measured.cost.cpu_seconds));
      cells.push_back(bytes_text(static_cast<double>(measured.cost.device_bytes)));
      cells.push_back(bytes_text(static_cast<double>(measured.bytes_copied)));
      cells.push_back(bytes_if_known(measured.memory_bytes));
      cells.push_back(bytes_if_known(measured.cache_added_bytes));
    }
    cells.resize(names.size());
    html.row(cells, class_of(table, row));
  }
  return html.html();
}

std::string facts_table(const WhereTable& table) {
  HtmlTable sees;
  sees.header({"hook", "sees cached", "sees uncached", "to user space", "fills the cache",
               "knows the file by", "knows the process by"},
              SIZE_MAX);
  for (const WhereRow& row : table.rows) {
    sees.row({row.hook, yes_no(row.sees_cached), yes_no(row.sees_uncached),
              percent_text(row.copied_share), yes_no(row.fills_cache), row.knows_file_by,
              row.knows_process_by},
             class_of(table, row));
  }
  return sees.html();
}

std::string places_table(const WhereTable& table) {
  HtmlTable places;
  places.header({"hook", "place", "kind", "since", "bytes", "runs in", "stands on", "others pay"},
                SIZE_MAX);
  for (const WhereRow& row : table.rows) {
    const std::string bytes =
        std::string(row.exact ? "exact" : "lossy") + (row.pinned ? ", pinned" : ", not pinned");
    places.row({row.hook, row.place(), row.in_kernel ? row.kind : "system call", row.since, bytes,
                row.context, row.foundation, row.tax},
               class_of(table, row));
  }
  return places.html();
}

std::string stability_text(const StabilityPrice& price, const std::string& among) {
  if (price.stable.empty()) return "No hook" + among + " can be used here.";
  if (price.stable == price.efficient) {
    return price.stable + " is both the steadiest and the fastest hook" + among + ".";
  }
  return "The steadiest hook" + among + " is " + price.stable + ", the fastest " + price.efficient +
         ": stability costs " + percent_text(price.percent / 100) + " of time.";
}

std::string paragraph(const std::string& text, const char* style = "") {
  return std::string("<p") + (*style == '\0' ? "" : std::string(" class=\"") + style + "\"") + ">" +
         escaped(text) + "</p>\n";
}

std::string captioned(const std::string& svg, const std::string& caption) {
  return "<figure>\n" + svg + "<figcaption>" + escaped(caption) + "</figcaption></figure>\n";
}

std::string reasons(const WhereTable& table) {
  std::string items;
  for (const WhereRow& row : table.rows) {
    std::string why = row.measured.refusal.empty() ? row.reason : row.measured.refusal;
    if (!row.cure.empty()) why += "; " + row.cure;
    items += "<li><b>" + escaped(row.hook) + "</b>: " + escaped(why) + "</li>\n";
  }
  return "<ul>\n" + items + "</ul>\n";
}

std::string file_text(const WhereTable& table) {
  const std::string cached = table.cached_share < 0
                                 ? "what is cached is unknown"
                                 : percent_text(table.cached_share) + " of it in the page cache";
  return table.path + ", " + bytes_text(static_cast<double>(table.file_bytes)) + ", " + cached +
         "; " + table.op_class + ", " + table.program + ", " + std::to_string(table.threads) +
         (table.threads == 1 ? " thread." : " threads.");
}

std::string measured_text(const WhereTable& table) {
  if (table.fastest.empty()) return "Measured: no hook could do it.";
  if (!table.pick_excess) {
    return "Measured: " + table.fastest +
           " was the fastest, the pick was not measured; all hooks " + "gave the same answer.";
  }
  if (table.fastest == table.pick) {
    return "Measured: the pick was the fastest; all hooks gave the same answer.";
  }
  return "Measured: " + table.fastest + " was the fastest, the pick took " +
         percent_text(*table.pick_excess) + " longer; all hooks gave the same answer.";
}

}  // namespace

std::string where_html(const WhereTable& table) {
  std::string body = "<h1>Where to hook</h1>\n<pre>" + escaped(table.sql) + "</pre>\n";
  body += paragraph(file_text(table), "quiet");
  body += paragraph("Pick: " + table.why + ".", "lead");
  body += paragraph(stability_text(table.everywhere, "") + " " +
                    stability_text(table.in_kernel, " in the kernel"));
  if (table.measured) body += paragraph(measured_text(table));
  for (const std::string& note : table.notes) body += paragraph("Note: " + note + ".", "quiet");
  body += "<h2>What it costs</h2>\n" + costs_table(table);
  body += captioned(times_plot(table),
                    "Time of each hook that may and can do it. The axis is "
                    "logarithmic: equal distances are equal ratios.");
  body += "<h2>Stable or efficient</h2>\n" +
          captioned(stability_plot(table),
                    "What a hook stands on, from what a kernel never changes (top) to what may go "
                    "with the next release (bottom), against how fast it is.");
  body += "<h2>What the page cache does to it</h2>\n" +
          captioned(cache_plot(table),
                    "Predicted from what was measured on this machine, or from "
                    "built-in rates where nothing was.");
  body += "<h2>What each hook sees</h2>\n" + facts_table(table);
  body += "<h2>Where each hook sits</h2>\n" + places_table(table);
  body += "<h2>Why, and why not</h2>\n" + reasons(table);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>"
         "Where to hook</title>\n<style>" +
         std::string(kStyle) + "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

}  // namespace grapnel::api
