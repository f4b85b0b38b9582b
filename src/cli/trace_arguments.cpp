#include "cli/trace_arguments.h"

#include <map>
#include <string>

#include "cli/estimate_arguments.h"

namespace grapnel::cli {
namespace {

constexpr char kNotes[] = R"(columns, all bytes of files:
  OPEN    opens
  ASKED   by calls that read or send
  CACHE   of what they got, from pages that had been in the page cache before
  DEVICE  read from a device because of this process, readahead included
  SENT    by sendfile, splice, copy_file_range
  MAPPED  by mmap
[...] is a kernel thread, for whom it works is not known. exit code 3: something was lost, the
numbers are too low. docs/trace.md says what is not seen.)";

const std::map<std::string, api::TraceLayer> kLayers{{"all", api::TraceLayer::all},
                                                     {"syscall", api::TraceLayer::syscall},
                                                     {"cache", api::TraceLayer::cache},
                                                     {"block", api::TraceLayer::block}};

}  // namespace

void describe_trace(CLI::App& app, TraceCommand& command) {
  app.footer(kNotes);
  app.add_option("--file", command.options.file_glob, "only files whose path fits")
      ->type_name("GLOB")
      ->check(CLI::Validator(
          [](std::string& given) { return given.empty() ? "no file is named" : std::string(); },
          ""));
  app.add_option("--pid", command.options.pid, "only this process")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 22));
  app.add_option_function<std::string>(
         "--layer",
         [&command](const std::string& given) {
           const auto found = kLayers.find(given);
           if (found == kLayers.end())
             throw CLI::ValidationError("--layer",
                                        "'" + given + "' is none of all|syscall|cache|block");
           command.options.layer = found->second;
         },
         "default all")
      ->type_name("all|syscall|cache|block");
  app.add_flag("--events", command.options.events, "a line for each event instead of sums");
  app.add_flag("--json", command.json, "JSON lines: rows, intervals, events");
  app.add_option_function<std::string>(
         "--for",
         [&command](const std::string& given) {
           const auto seconds = parse_seconds(given);
           if (!seconds || *seconds <= 0 || *seconds > 1e9)
             throw CLI::ValidationError("--for", "'" + given + "' is not like 30s");
           command.for_seconds = *seconds;
         },
         "default: until ctrl-C")
      ->type_name("30s");
  app.add_option("--rows", command.rows,
                 "of each table, at most; 0: all; default 20, on a "
                 "terminal as many as fit")
      ->type_name("N");
  app.add_option("--ring", command.options.ring_bytes,
                 "bytes for events on their way, a power of two; default 16 MiB")
      ->type_name("BYTES");
  app.add_flag("--cost", command.options.measure_cost,
               "measure what the programs in the kernel take");
}

}  // namespace grapnel::cli
