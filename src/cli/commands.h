// The subcommands. Each returns the process's exit code.
#pragma once

#include <string_view>

#include "cli/arguments.h"
#include "grapnel/grapnel.h"

namespace grapnel::cli {

int run_query(const QueryCommand& command);
int run_watch(const WatchCommand& command);
int run_schema(const SchemaCommand& command);
int run_serve(const ServeCommand& command);
int run_doctor(const DoctorCommand& command);
int run_estimate(const EstimateCommand& command);
int run_trace(const TraceCommand& command);
int run_where(const WhereCommand& command);
int run_calibrate(const CalibrateCommand& command);
int run_doctor_hooks(const DoctorCommand& command);
int run_doctor_tax(const DoctorCommand& command);

/// Prints "grapnel: ..." on standard error, with the place in `sql` where there is one, and returns
/// the exit code that belongs to the error.
int report(const api::Error& error, std::string_view sql = {});

/// "114160 of 6001215 records, 759.9 MB read by 'pipe' (bpf) in 0.15 s, 5.1 GB/s"
std::string summary_text(const api::Statistics& statistics);

}  // namespace grapnel::cli
