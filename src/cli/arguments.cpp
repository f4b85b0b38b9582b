#include "cli/arguments.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <map>

#include "cli/calibrate_arguments.h"
#include "cli/estimate_arguments.h"
#include "cli/trace_arguments.h"
#include "cli/watch_arguments.h"
#include "cli/where_arguments.h"

namespace grapnel::cli {
namespace {

constexpr char kExamples[] = R"text(examples:
  grapnel query "SELECT count(*) FROM 'lineitem.csv'"
  grapnel query "SELECT l_returnflag, sum(l_quantity) FROM 'lineitem.csv'
                 WHERE l_shipdate < DATE '1995-01-01' GROUP BY 1"
  grapnel query "SELECT line FROM lines('/var/log/syslog') WHERE line LIKE '%error%' LIMIT 10"
  grapnel query "EXPLAIN SELECT sum(a) FROM csv('x.txt', delim => '|', columns => 'a BIGINT')"
  grapnel query --hook pipe --stats text "SELECT count(*) FROM 'lineitem.tbl'"
  grapnel schema lineitem.csv
  grapnel serve --root /data
  grapnel query --on storage7:31337 "SELECT count(*) FROM 'lineitem.csv'"
  grapnel watch "SELECT count(*) FROM 'lineitem.csv'" --until-covered
  grapnel doctor
  grapnel estimate --size 10GB --link 1GB/s --rtt 10ms
  grapnel where lineitem.csv "SELECT sum(l_quantity)" --measure
  grapnel trace --file '/var/lib/postgresql/*/*'

Results go to standard output, everything else to standard error.
exit codes: 0 ok, 1 error, 2 wrong usage or refused SQL, 3 result does not cover the whole file,
            4 the hook that was forced cannot do it, 130 interrupted)text";

constexpr char kQueryNotes[] = R"(formats:
  table  aligned columns; on a terminal cut to its width and to the first rows
  csv    a header line, then rows; NULL is empty, an empty string is ""
  json   an array with one object per line; numbers keep all their digits, NULL is null,
         DOUBLE's nan and inf are strings)";

const std::map<std::string, OutputFormat> kFormats{
    {"table", OutputFormat::table}, {"csv", OutputFormat::csv}, {"json", OutputFormat::json}};
const std::map<std::string, OutputFormat> kDoctorFormats{{"table", OutputFormat::table},
                                                         {"json", OutputFormat::json}};
const std::map<std::string, StatisticsFormat> kStatisticsFormats{{"json", StatisticsFormat::json},
                                                                 {"text", StatisticsFormat::text}};
const std::map<std::string, api::IfChanged> kIfChanged{{"warn", api::IfChanged::warn},
                                                       {"error", api::IfChanged::error}};

template <typename Value>
void add_choice(CLI::App& app, const std::string& name, Value& value,
                const std::map<std::string, Value>& choices, const std::string& text) {
  std::string names;
  for (const auto& choice : choices) names += (names.empty() ? "" : "|") + choice.first;
  app.add_option_function<std::string>(
         name,
         [&value, &choices, names, name](const std::string& given) {
           const auto found = choices.find(given);
           if (found == choices.end()) {
             throw CLI::ValidationError(name, "'" + given + "' is none of " + names);
           }
           value = found->second;
         },
         text)
      ->type_name(names);
}

/// "pipe", "pipe,any", "any".
void set_hook(const std::string& given, api::QueryOptions& options) {
  std::string name = given;
  if (const size_t comma = given.find(','); comma != std::string::npos) {
    if (given.substr(comma + 1) != "any") {
      throw CLI::ValidationError("--hook", "'" + given + "': only ',any' may follow the hook");
    }
    options.allow_other_hooks = true;
    name = given.substr(0, comma);
  }
  if (name.empty()) throw CLI::ValidationError("--hook", "no hook is named");
  options.hook = name == "any" ? "" : name;
}

/// "grapnel SELECT..." and "grapnel qeury ...".
void report_unknown_command(const CLI::App& app, const std::string& given) {
  std::cerr << "grapnel: there is no command '" << given << "'\n  hint: commands:";
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    std::cerr << ' ' << command->get_name();
  }
  std::cerr << "; for instance: grapnel query \"SELECT count(*) FROM 'file.csv'\"\n";
}

void describe_query(CLI::App& app, QueryCommand& command) {
  app.footer(kQueryNotes);
  app.add_option("SQL", command.sql, "the statement; - reads it from standard input")->required();
  add_server(app, command.on, "ask this server instead of reading here");
  app.add_option_function<std::string>(
         "--hook", [&command](const std::string& given) { set_hook(given, command.options); },
         "use this hook and no other; NAME,any permits others where it cannot")
      ->type_name("NAME[,any]");
  app.add_option("--threads", command.options.threads, "default: one per CPU")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  add_choice(app, "--format", command.format, kFormats, "of the result; default table");
  add_choice(app, "--stats", command.statistics, kStatisticsFormats,
             "how it went, on standard error");
  add_choice(
      app, "--if-changed", command.options.if_changed, kIfChanged,
      "when the file grew meanwhile: error, or warn and answer for the first bytes (default)");
  add_limits(app, command.options);
  app.add_flag("--strict", command.options.strict, "refuse a file that somebody may be writing to");
  app.add_flag("-q,--quiet", command.quiet, "no progress, no summary, no warnings");
}

// Of queries and files: each has threads and buffers of its own.
constexpr unsigned kMostAtOnce = 4096;

void describe_serve(CLI::App& app, ServeCommand& command) {
  app.add_option("--root", command.options.root, "directory whose files may be asked for")
      ->required()
      ->type_name("DIR");
  app.add_option("--listen", command.options.listen, "default " + command.options.listen)
      ->type_name("HOST:PORT");
  app.add_flag("--insecure", command.options.insecure,
               "listen on an address that others can reach, without encryption and passwords");
  app.add_option("--max-queries", command.options.max_queries,
                 "that run at once, default " + std::to_string(command.options.max_queries) +
                     "; clients compute the others themselves (0: all)")
      ->type_name("N")
      ->check(CLI::Range(0U, kMostAtOnce));
  app.add_option("--max-files", command.options.max_files,
                 "sent at once to clients that compute themselves, default " +
                     std::to_string(command.options.max_files))
      ->type_name("N")
      ->check(CLI::Range(0U, kMostAtOnce));
}

}  // namespace

CLI::Option* add_server(CLI::App& app, std::string& on, const std::string& text) {
  return app
      .add_option_function<std::string>(
          "--on",
          [&on](const std::string& given) {
            if (given.empty()) throw CLI::ValidationError("--on", "no server is named");
            on = given;
          },
          text)
      ->type_name("HOST:PORT");
}

Command parse_arguments(int argc, char** argv) {
  CLI::App app{"grapnel: SQL on files, run next to the data"};
  app.name("grapnel");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("grapnel ") + api::version());
  app.require_subcommand(1);

  QueryCommand query;
  CLI::App* query_app = app.add_subcommand("query", "answer a SQL statement");
  describe_query(*query_app, query);

  WatchCommand watch;
  CLI::App* watch_app = app.add_subcommand(
      "watch", "a standing query, computed from what other programs read of the file");
  describe_watch(*watch_app, watch);

  SchemaCommand schema;
  CLI::App* schema_app = app.add_subcommand("schema", "columns, types and dialect of a file");
  schema_app->add_option("FILE", schema.file, "path, or csv(...), lines(...), fixed(...)")
      ->required();
  add_server(*schema_app, schema.on, "ask this server");
  add_choice(*schema_app, "--format", schema.format, kFormats, "of the result; default table");

  ServeCommand serve;
  CLI::App* serve_app = app.add_subcommand("serve", "answer queries over Arrow Flight SQL");
  describe_serve(*serve_app, serve);

  DoctorCommand doctor;
  CLI::App* doctor_app =
      app.add_subcommand("doctor", "what this kernel and these rights permit, and what to do");
  add_choice(*doctor_app, "--format", doctor.format, kDoctorFormats, "default table");
  CLI::Option* hooks_flag = doctor_app->add_flag(
      "--hooks", doctor.hooks,
      "try every place in the kernel where tools have hooked in over the years");
  doctor_app
      ->add_flag("--tax", doctor.tax, "measure what hooks in the kernel cost everybody else's work")
      ->excludes(hooks_flag);

  EstimateCommand estimate;
  estimate.input = api::default_estimate();
  CLI::App* estimate_app =
      app.add_subcommand("estimate", "what it costs to ship the data or the operation: the model");
  describe_estimate(*estimate_app, estimate);

  WhereCommand where;
  CLI::App* where_app = app.add_subcommand(
      "where", "every place where a statement could run: what is known, predicted, measured");
  describe_where(*where_app, where);

  TraceCommand trace;
  CLI::App* trace_app = app.add_subcommand(
      "trace", "who reads which file, by system call, page cache and device: as it happens");
  describe_trace(*trace_app, trace);

  CalibrateCommand calibrate;
  CLI::App* calibrate_app = app.add_subcommand(
      "calibrate", "measure this machine's devices, hooks and links for the chooser and the model");
  describe_calibrate(*calibrate_app, calibrate);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) {
      report_unknown_command(app, argv[1]);
      return Finished{kExitUsage};
    }
    return Finished{app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitUsage};
  }
  if (query_app->parsed()) return query;
  if (watch_app->parsed()) return watch;
  if (schema_app->parsed()) return schema;
  if (serve_app->parsed()) return serve;
  if (doctor_app->parsed()) return doctor;
  if (estimate_app->parsed()) return estimate;
  if (trace_app->parsed()) return trace;
  if (where_app->parsed()) return where;
  if (calibrate_app->parsed()) return calibrate;
  return Finished{kExitUsage};
}

}  // namespace grapnel::cli
