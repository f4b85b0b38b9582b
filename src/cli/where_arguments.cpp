#include "cli/where_arguments.h"

#include <algorithm>
#include <string>

#include "cli/estimate_arguments.h"

namespace grapnel::cli {
namespace {

constexpr char kWhereNotes[] =
    R"(FILE is a path, or csv(...), lines(...), fixed(...); SQL may leave its FROM away:
  grapnel where lineitem.csv "SELECT sum(l_quantity) WHERE l_tax > 0.05"
  grapnel where "SELECT count(*) FROM lines('app.log') WHERE line LIKE '%error%'" --measure
--measure runs every hook that may and can, in turns, and demands the same answer of all. Between the
runs the file's pages in the page cache are put back as they were; nobody else's are touched.)";

}  // namespace

void add_limits(CLI::App& app, api::QueryOptions& options) {
  app.add_flag("--no-kernel", options.no_kernel, "no hook in the kernel");
  app.add_option_function<std::string>(
         "--max-cpu",
         [&options](const std::string& given) {
           const auto number = parse_share(given);
           if (!number || *number <= 0) {
             throw CLI::ValidationError("--max-cpu", "'" + given + "' is not like 1.5 or 50%");
           }
           if (given.ends_with('%')) {
             options.max_cpu_share = std::min(*number, 1.0);
           } else {
             options.max_cpus = *number;
           }
         },
         "CPUs that may be busy with it on average; with %: of all there are")
      ->type_name("N|N%");
  app.add_flag("--polite", options.polite, "leave the page cache as it was found");
}

void describe_where(CLI::App& app, WhereCommand& command) {
  app.footer(kWhereNotes);
  app.add_option("FILE", command.file, "the file, or the whole statement if SQL is left away")
      ->required();
  app.add_option("SQL", command.sql, "the statement");
  add_server(app, command.options.on, "ask this server; the file is there");
  app.add_flag("--measure", command.options.measure, "run every hook that may and can");
  app.add_option("--rounds", command.options.rounds, "of measuring; default 3")
      ->type_name("N")
      ->check(CLI::Range(1U, 99U));
  app.add_option("--threads", command.options.query.threads, "default: one per CPU")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  add_limits(app, command.options.query);
  app.add_flag("--json", command.json, "the table as a JSON object");
  app.add_option("--html", command.html, "writes the table with its plots to this file, too")
      ->type_name("FILE");
}

}  // namespace grapnel::cli
