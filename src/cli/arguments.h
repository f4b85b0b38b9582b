// The command line, read into plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "grapnel/calibrate.h"
#include "grapnel/estimate.h"
#include "grapnel/grapnel.h"
#include "grapnel/trace.h"
#include "grapnel/watch.h"
#include "grapnel/where.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace grapnel::cli {

/// What the process's status says (`grapnel --help` lists them).
enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,
  kExitUsage = 2,  ///< wrong command line, or SQL that was refused
  kExitNotCovered = 3,
  kExitHookCannot = 4,
  kExitInterrupted = 130,
};

enum class OutputFormat : uint8_t { table, csv, json };
enum class StatisticsFormat : uint8_t { none, json, text };

struct QueryCommand {
  std::string sql;  ///< "-": standard input
  std::string on;   ///< "HOST:PORT", or empty: here
  OutputFormat format = OutputFormat::table;
  StatisticsFormat statistics = StatisticsFormat::none;
  bool quiet = false;
  api::QueryOptions options;
};

struct SchemaCommand {
  std::string file;
  std::string on;
  OutputFormat format = OutputFormat::table;
};

struct ServeCommand {
  api::ServeOptions options;
};

struct DoctorCommand {
  OutputFormat format = OutputFormat::table;  ///< table or json
  bool hooks = false;  ///< attach points instead of what grapnel makes of them
  bool tax = false;    ///< what hooks cost others, measured
};

enum class EstimateFormat : uint8_t { table, json, svg };

struct EstimateCommand {
  api::EstimateInput input;
  EstimateFormat format = EstimateFormat::table;
  std::string sql;  ///< empty: `input` is all there is
  std::string on;
  /// What was said by options, to win over what is found out: see apply_given().
  std::vector<std::pair<double api::EstimateInput::*, double>> given;
  std::vector<std::pair<std::string, double>> given_rates;  ///< of hooks, bytes per second
};

struct WhereCommand {
  std::string file;  ///< a path or csv(...) and the like; the statement, if `sql` is empty
  std::string sql;
  bool json = false;
  std::string html;  ///< file to be written; empty: none
  api::WhereOptions options;
};

struct TraceCommand {
  api::TraceOptions options;
  bool json = false;
  double for_seconds = 0;  ///< 0: until it is interrupted
  unsigned rows = 20;      ///< of a table that is no terminal's; 0: all
};

struct WatchCommand {
  std::vector<std::string> statements;
  bool json = false;
  bool quiet = false;
  std::string intervals;  ///< file; empty: none
  api::WatchOptions options;
};

struct CalibrateCommand {
  bool show = false;                          ///< measure nothing
  bool if_needed = false;                     ///< measure only what is missing, old or contradicted
  OutputFormat format = OutputFormat::table;  ///< table or json
  api::CalibrateOptions options;
};

/// The command line asked for text only (--help, --version) or was wrong; all is said already.
struct Finished {
  int exit_code = kExitOk;
};

using Command =
    std::variant<Finished, QueryCommand, WatchCommand, SchemaCommand, ServeCommand, DoctorCommand,
                 EstimateCommand, WhereCommand, CalibrateCommand, TraceCommand>;

/// --on HOST:PORT into `on`. An empty one is a script's empty variable, and must not mean "here":
/// it is refused.
CLI::Option* add_server(CLI::App& app, std::string& on, const std::string& text);

/// Prints help and version to standard output, complaints to standard error.
Command parse_arguments(int argc, char** argv);

}  // namespace grapnel::cli
