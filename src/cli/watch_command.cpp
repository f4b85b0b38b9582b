#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/owned.h"
#include "cli/text_width.h"
#include "cli/watch_text.h"
#include "cli/writers.h"
#include "grapnel/watch.h"

namespace grapnel::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kTerminalColumns = 80;
constexpr auto kJsonInterval = std::chrono::seconds(1);

/// What is said while a watch runs.
class Live {
 public:
  Live(const api::Watch& watch, const WatchCommand& command)
      : watch_(watch),
        command_(command),
        draws_(!command.quiet && !command.json && ::isatty(STDERR_FILENO) != 0) {}

  void tick() {
    if (draws_) draw();
    if (!command_.json) return;
    const auto now = Clock::now();
    if (now < next_json_) return;
    next_json_ = now + kJsonInterval;
    Output output(STDOUT_FILENO, Output::OnInterrupt::write_on);
    // Pages leave the cache meanwhile, and writers wait: who does not read gets fewer lines.
    if (output.is_blocked()) return;
    const api::WatchState state = watch_.state();
    for (size_t i = 0; i < state.statements.size(); i++)
      output.write(statement_json(watch_, state, i, false) + "\n");
    (void)output.finish();  // the end's lines meet the same error, and report it
  }

  void erase() {
    if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
    drawn_ = false;
  }

 private:
  void draw() {
    const api::WatchState state = watch_.state();
    const std::string answer = state.statements.size() == 1 ? answer_text(watch_, 0) : "";
    const size_t columns = terminal_size().columns;
    std::cerr << "\r\x1b[K"
              << shorten(live_text(state, answer), (columns == 0 ? kTerminalColumns : columns) - 1)
              << std::flush;
    drawn_ = true;
  }

  const api::Watch& watch_;
  const WatchCommand& command_;
  const bool draws_;
  bool drawn_ = false;
  Clock::time_point next_json_ = Clock::now() + kJsonInterval;
};

/// An answer as a table.
std::optional<api::Error> write_answer(const api::Watch& watch, size_t statement, Output& output) {
  Owned<ArrowArrayStream> stream;
  if (auto status = watch.answer(statement, &stream); !status) return status.error();
  Owned<ArrowSchema> schema;
  int failed = stream.get_schema(&stream, &schema);
  auto writer = make_writer(OutputFormat::table, output, terminal_size());
  if (failed == 0) writer->begin(schema);
  while (failed == 0) {
    Owned<ArrowArray> batch;
    failed = stream.get_next(&stream, &batch);
    if (failed != 0 || batch.release == nullptr) break;
    writer->add(batch);
  }
  if (failed != 0) {
    const char* text = stream.get_last_error(&stream);
    return api::Error{api::ErrorKind::data,
                      text == nullptr ? "the answer cannot be shown" : text,
                      {},
                      0,
                      std::nullopt};
  }
  writer->end();
  return std::nullopt;
}

std::optional<api::Error> write_intervals(const api::Watch& watch, const api::WatchState& state,
                                          const std::string& path) {
  if (path.empty()) return std::nullopt;
  return write_file(path, "the intervals", [&](Output& output) {
    for (size_t i = 0; i < state.statements.size(); i++) {
      output.write(ranges_json(watch, state, i) + "\n");
      output.flush_if_full();
    }
  });
}

/// Prints the end of the watch; the exit code.
int print_end(const api::Watch& watch, const WatchCommand& command) {
  const api::WatchState state = watch.state();
  Output output(STDOUT_FILENO, Output::OnInterrupt::write_on);
  std::optional<api::Error> failure;
  bool complete = true;
  for (size_t i = 0; i < state.statements.size(); i++) {
    const api::WatchedStatement& statement = state.statements[i];
    complete = complete && statement.complete;
    std::optional<api::Error> error = statement.error;
    if (command.json) {
      output.write(statement_json(watch, state, i, true) + "\n");
    } else if (!error) {
      error = write_answer(watch, i, output);
    }
    output.flush();
    if (error) {
      report(*error, statement.sql);
      if (!failure) failure = std::move(error);
    } else if (!command.quiet && !command.json) {
      std::cerr << summary_text(watch, state, i) << '\n';
    }
  }
  if (auto error = output.finish()) return report(*error);
  if (auto error = write_intervals(watch, state, command.intervals)) return report(*error);
  if (failure) return kExitError;
  return complete ? kExitOk : kExitNotCovered;
}

}  // namespace

int run_watch(const WatchCommand& command) {
  auto watch = api::Watch::open(command.statements, command.options);
  if (!watch) {
    return report(watch.error(), command.statements.size() == 1 ? command.statements[0] : "");
  }
  Live live(*watch, command);
  {
    const Interruptible while_running;
    if (!command.quiet) {
      const std::string missing = missing_places_text(watch->state());
      if (!missing.empty()) std::cerr << "grapnel: warning: " << missing << '\n';
      std::cerr << "watching; ^C ends it\n";
    }
    const auto ended = watch->run(&interrupt_token(), [&live] { live.tick(); });
    live.erase();
    if (!ended) return report(ended.error());
  }
  return print_end(*watch, command);
}

}  // namespace grapnel::cli
