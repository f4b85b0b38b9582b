#include "cli/watch_arguments.h"

#include <string>

#include "cli/estimate_arguments.h"

namespace grapnel::cli {
namespace {

constexpr char kWatchNotes[] =
    R"(A record counts once all its bytes, its end and the byte before it were read by others while they
were in the page cache (and, for quoted csv, it is known whether it begins inside quotes). The watch
itself asks the device for nothing, but for --complete.
  ^C, --for and --until-covered end it; then the answer over the counted records is printed.
  Exit code 0: every record of the file counts; 3: not all of them; 1: the file was written to,
  replaced (see --follow), or its data is wrong.
  One statement names one file (FROM has no patterns); give several statements for several files.
  A file that is written to, cut or grown while it is watched ends its statement.)";

template <typename Value>
void add_value(CLI::App& app, const char* name, Value& value,
               std::optional<double> (*parse)(std::string_view), const char* example,
               const std::string& text) {
  app.add_option_function<std::string>(
         name,
         [&value, parse, example, name](const std::string& given) {
           const auto parsed = parse(given);
           if (!parsed || *parsed <= 0) {
             throw CLI::ValidationError(name,
                                        "'" + given + "' is not like " + std::string(example));
           }
           value = static_cast<Value>(*parsed);
         },
         text)
      ->type_name(example);
}

void set_readers(const std::string& given, api::WatchOptions& options) {
  if (given == "pid") {
    options.readers_by = api::ReadersBy::pid;
  } else if (given == "comm") {
    options.readers_by = api::ReadersBy::comm;
  } else if (given == "cgroup") {
    options.readers_by = api::ReadersBy::cgroup;
  } else {
    throw CLI::ValidationError("--by", "'" + given + "' is none of pid|comm|cgroup");
  }
}

void set_follow(const std::string& given, api::WatchOptions& options) {
  if (given != "path" && given != "inode")
    throw CLI::ValidationError("--follow", "'" + given + "' is none of path|inode");
  options.follow = given == "path" ? api::Follow::path : api::Follow::inode;
}

[[noreturn]] void refuse_inline() {
  throw CLI::ValidationError(
      "--inline",
      "computing inside the kernel's hook is not built: this program only marks pages there and "
      "computes beside it; leave --inline away");
}

}  // namespace

void describe_watch(CLI::App& app, WatchCommand& command) {
  app.footer(kWatchNotes);
  app.add_option("SQL", command.statements, "SELECTs of aggregates, one or several")
      ->required()
      ->expected(1, 64);
  app.add_option_function<std::string>(
         "--by", [&command](const std::string& given) { set_readers(given, command.options); },
         "say who read: by process, command name, or cgroup (v2)")
      ->type_name("pid|comm|cgroup");
  add_value(app, "--for", command.options.seconds, parse_seconds, "30s", "end after so long");
  app.add_flag("--until-covered", command.options.until_covered,
               "end once every record of every file counts");
  app.add_flag("--complete", command.options.complete,
               "at the end read what is missing, from the device where need be");
  app.add_option_function<std::string>(
         "--follow", [&command](const std::string& given) { set_follow(given, command.options); },
         "path (default): end if the path comes to name another file; inode: stay with the file")
      ->type_name("path|inode");
  add_value(app, "--max-slowdown", command.options.max_slowdown, parse_share, "5%",
            "of readers, by what runs in the kernel: above it events are left out at random");
  add_value(app, "--memory", command.options.memory_bytes, parse_bytes, "64MiB",
            "for marks and edges; what it does not hold is not covered");
  app.add_flag("--json", command.json, "a JSON object per statement and line, the last ones final");
  app.add_option("--intervals", command.intervals,
                 "write what was covered and counted there, a JSON object per statement and line")
      ->type_name("FILE");
  app.add_flag("-q,--quiet", command.quiet, "no live line, no summary");
  app.add_flag_callback("--inline", refuse_inline, "compute inside the hook: not built");
}

}  // namespace grapnel::cli
