// grapnel, the program: reads the command line and leaves the work to the library behind
// include/grapnel, which it uses like any other program.
#include <csignal>
#include <exception>
#include <iostream>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace grapnel::cli {
namespace {

int run(const Command& command) {
  if (const auto* finished = std::get_if<Finished>(&command)) return finished->exit_code;
  if (const auto* query = std::get_if<QueryCommand>(&command)) return run_query(*query);
  if (const auto* watch = std::get_if<WatchCommand>(&command)) return run_watch(*watch);
  if (const auto* schema = std::get_if<SchemaCommand>(&command)) return run_schema(*schema);
  if (const auto* serve = std::get_if<ServeCommand>(&command)) return run_serve(*serve);
  if (const auto* where = std::get_if<WhereCommand>(&command)) return run_where(*where);
  if (const auto* calibrate = std::get_if<CalibrateCommand>(&command)) {
    return run_calibrate(*calibrate);
  }
  if (const auto* estimate = std::get_if<EstimateCommand>(&command)) return run_estimate(*estimate);
  if (const auto* trace = std::get_if<TraceCommand>(&command)) return run_trace(*trace);
  return run_doctor(std::get<DoctorCommand>(command));
}

int run_program(int argc, char** argv) {
  const bool output_open = protect_standard_streams();
  // A reader that goes away (| head) ends us quietly, even if our parent had the signal ignored.
  ::signal(SIGPIPE, SIG_DFL);  // NOLINT(cert-err33-c): cannot fail for SIGPIPE
  const Command command = parse_arguments(argc, argv);
  if (!output_open && !std::holds_alternative<ServeCommand>(command)) {
    return report({api::ErrorKind::io, "standard output is closed", "nothing could be printed", 0,
                   std::nullopt});
  }
  if (!std::holds_alternative<ServeCommand>(command)) catch_interrupts();
  const int code = run(command);
  std::cout.flush();
  if (!std::cout) {
    return report({api::ErrorKind::io, "cannot write to standard output", {}, 0, std::nullopt});
  }
  return code;
}

}  // namespace
}  // namespace grapnel::cli

int main(int argc, char** argv) {
  try {
    return grapnel::cli::run_program(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "grapnel: " << error.what() << '\n';
    return grapnel::cli::kExitError;
  }
}
