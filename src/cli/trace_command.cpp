#include "cli/commands.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/trace_text.h"
#include "cli/writers.h"

namespace grapnel::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kInterval = std::chrono::seconds(1);
/// How soon ctrl-C is noticed.
constexpr auto kLook = std::chrono::milliseconds(20);
constexpr int kEventWaitMs = 50;
constexpr size_t kPlainColumns = 80;

/// Shown at once.
void show(Output& output, std::string_view text) {
  output.write(text);
  output.flush();
}

/// The other screen that terminals have, so that what was on this one comes back.
class FullScreen {
 public:
  FullScreen(Output& output, bool wanted) : output_(output), wanted_(wanted) {
    if (wanted_) show(output_, "\x1b[?1049h\x1b[?25l");
  }
  ~FullScreen() { leave(); }
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

  /// Lines that are too many are cut, and what was there before is erased.
  void draw(const std::string& text, size_t rows) {
    std::string out = "\x1b[H";
    size_t line = 0;
    for (size_t at = 0; at < text.size() && line < rows; line++) {
      const size_t end = std::min(text.find('\n', at), text.size());
      out.append(line == 0 ? "" : "\r\n").append(text, at, end - at).append("\x1b[K");
      at = end + 1;
    }
    show(output_, out + "\x1b[J");
  }
  void leave() {
    if (wanted_) show(output_, "\x1b[?25h\x1b[?1049l");
    wanted_ = false;
  }

 private:
  Output& output_;
  bool wanted_;
};

std::string clock_text() {
  const time_t now = ::time(nullptr);
  tm broken{};
  ::localtime_r(&now, &broken);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S", &broken);
  return text;
}

class TraceRun {
 public:
  TraceRun(const TraceCommand& command, api::Trace trace)
      : command_(command), trace_(std::move(trace)), begin_(Clock::now()) {}

  int run() {
    const TerminalSize terminal = terminal_size();
    shape_.terminal = terminal.columns > 0;
    shape_.width = terminal.columns > 0 ? terminal.columns : kPlainColumns;
    shape_.rows = command_.rows;
    write_start();
    if (command_.options.events)
      follow_events();
    else
      follow_sums();
    (void)trace_.interval();
    write_end();
    if (auto error = output_.finish()) return report(*error);
    const api::TraceTotals totals = trace_.sum().totals;
    const bool lost = totals.lost_events + totals.lost_calls + totals.lost_reads > 0;
    return lost ? kExitNotCovered : kExitOk;
  }

 private:
  [[nodiscard]] bool over() const {
    if (interrupt_token().cancelled() || output_.failed()) return true;
    return command_.for_seconds > 0 && Clock::now() - begin_ >= duration();
  }
  [[nodiscard]] Clock::duration duration() const {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(command_.for_seconds));
  }

  void write_start() {
    if (command_.json) {
      std::string text;
      for (const api::TraceSight& sight : trace_.sights()) text += sight_json(sight);
      show(output_, text);
    } else if (command_.options.events) {
      show(output_, event_heading(shape_));
    }
  }

  void follow_sums() {
    FullScreen full(output_, shape_.terminal && !command_.json);
    auto next = begin_ + kInterval;
    while (!over()) {
      if (Clock::now() < next) {
        std::this_thread::sleep_for(kLook);
        continue;
      }
      next = std::max(next + kInterval, Clock::now());
      const api::TraceInterval interval = trace_.interval();
      if (command_.json)
        write_json(interval, "row", "interval");
      else if (shape_.terminal)
        draw(full, interval);
      else
        show(output_, clock_text() + " " + totals_text(interval, shape_) +
                          rows_text(interval, shape_) + "\n");
    }
  }

  void draw(FullScreen& full, const api::TraceInterval& interval) {
    const TerminalSize terminal = terminal_size();
    TraceTableShape shape = shape_;
    shape.width = terminal.columns;
    const std::string head = "grapnel trace, ctrl-C ends\n" + totals_text(interval, shape) + "\n";
    const auto used = static_cast<size_t>(std::count(head.begin(), head.end(), '\n')) + 2;
    shape.rows = terminal.rows > used ? terminal.rows - used : 1;
    full.draw(head + rows_text(interval, shape), terminal.rows);
  }

  void write_json(const api::TraceInterval& interval, const char* row, const char* totals) {
    std::string text;
    for (const api::TraceRow& one : interval.rows) text += row_json(row, one, interval.seconds);
    show(output_, text + totals_json(totals, interval));
  }

  void follow_events() {
    EventClock clock;
    auto next = begin_ + kInterval;
    std::string text;
    while (!over()) {
      trace_.events(kEventWaitMs, [&](const api::TraceEvent& event) {
        text += command_.json ? event_json(event) : event_text(event, clock, shape_);
      });
      show(output_, text);
      text.clear();
      if (Clock::now() < next) continue;
      next += kInterval;
      const api::TraceInterval interval = trace_.interval();
      if (interval.totals.lost_events > 0 && !command_.json)
        show(output_, "LOST: " + std::to_string(interval.totals.lost_events) +
                          " events are not shown: more came than could be written\n");
    }
  }

  void write_end() {
    const api::TraceInterval sum = trace_.sum();
    if (command_.json) {
      write_json(sum, "total_row", "total");
      std::string text;
      for (const api::TraceCost& cost : trace_.costs()) text += cost_json(cost);
      show(output_, text);
      return;
    }
    show(output_, "\n" + totals_text(sum, shape_) + rows_text(sum, shape_) +
                      blind_text(trace_.sights()) + cost_text(trace_.costs(), sum.totals.events));
  }

  const TraceCommand& command_;
  api::Trace trace_;
  Clock::time_point begin_;
  TraceTableShape shape_;
  /// What was seen is printed after ctrl-C, too.
  Output output_{STDOUT_FILENO, Output::OnInterrupt::write_on};
};

}  // namespace

int run_trace(const TraceCommand& command) {
  const Interruptible interruptible;
  auto trace = api::Trace::start(command.options);
  if (!trace.ok()) return report(trace.error());
  return TraceRun(command, std::move(trace).value()).run();
}

}  // namespace grapnel::cli
