#include "cli/trace_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "cli/text_width.h"

namespace grapnel::cli {
namespace {

constexpr size_t kPidWidth = 7;
constexpr size_t kCommandWidth = 15;
constexpr size_t kEventCommandWidth = 12;
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kNumberWidth = 5;
/// A terminal that wide has room for more columns.
constexpr size_t kWide = 110;

std::string left(std::string text, size_t width) {
  const size_t used = display_width(text);
  if (used < width) text.append(width - used, ' ');
  return text;
}

std::string right(const std::string& text, size_t width) {
  const size_t used = display_width(text);
  return used < width ? std::string(width - used, ' ') + text : text;
}

/// Lines of events are written by the hundred thousand: no printf.
std::string decimal(double value, int digits, const char* unit) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return std::string(text.data(), end.ptr) + unit;
}

/// Three digits that count, and a unit.
std::string three_digits(double value, const char* const* units, size_t count) {
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < count) {
    value /= 1000;
    unit++;
  }
  const int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return decimal(value, digits, units[unit]);
}

std::string two_digits(int value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

/// The end of a path says more than its beginning.
std::string shorten_front(const std::string& text, size_t width) {
  size_t left = display_width(text);
  if (left <= width) return text;
  std::string_view rest = text;
  while (!rest.empty() && left + 1 > width) {
    char32_t c = 0;
    const size_t bytes = std::max<size_t>(decode_utf8(rest, &c), 1);
    left -= std::min(left, display_width(rest.substr(0, bytes)));
    rest.remove_prefix(bytes);
  }
  return "\u2026" + std::string(rest);
}

std::string bold(const std::string& text, const TraceTableShape& shape) {
  return shape.terminal ? "\x1b[1m" + text + "\x1b[m" : text;
}

uint64_t weight(const api::TraceCounts& c) {
  return 4 * c.device_bytes + c.read_bytes + c.sent_bytes + c.faults * 4096 + c.opens;
}

struct Column {
  const char* name;
  size_t width;
  uint64_t (*value)(const api::TraceCounts&);
  bool wide_only;
};

constexpr std::array kColumns{
    Column{"OPEN", kNumberWidth, [](const api::TraceCounts& c) { return c.opens; }, false},
    Column{"CALLS", kNumberWidth, [](const api::TraceCounts& c) { return c.calls; }, true},
    Column{"ASKED", kNumberWidth, [](const api::TraceCounts& c) { return c.asked_bytes; }, false},
    Column{"READ", kNumberWidth, [](const api::TraceCounts& c) { return c.read_bytes; }, true},
    Column{"CACHE", kNumberWidth, [](const api::TraceCounts& c) { return c.cached_bytes; }, false},
    Column{"DEVICE", 6, [](const api::TraceCounts& c) { return c.device_bytes; }, false},
    Column{"REQS", kNumberWidth, [](const api::TraceCounts& c) { return c.requests; }, true},
    Column{"SENT", kNumberWidth, [](const api::TraceCounts& c) { return c.sent_bytes; }, false},
    Column{"MAPPED", 6, [](const api::TraceCounts& c) { return c.mapped_bytes; }, false},
    Column{"FAULTS", 6, [](const api::TraceCounts& c) { return c.faults; }, true},
};

std::string pid_text(const api::TraceProcess& process) {
  return process.pid == 0 ? "-" : std::to_string(process.pid);
}

std::string file_text(const api::TraceRow& row) {
  if (row.process.kind == api::TraceProcess::Kind::others) return "no room for more rows";
  return printable(row.file.path);
}

std::string row_text(const api::TraceRow& row, const TraceTableShape& shape) {
  std::string line = right(pid_text(row.process), kPidWidth) + " " +
                     left(shorten(process_text(row.process), kCommandWidth), kCommandWidth);
  for (const Column& column : kColumns)
    if (!column.wide_only || shape.width >= kWide)
      line += " " + right(short_number(column.value(row.counts)), column.width);
  const size_t used = display_width(line) + 1;
  return line + " " + shorten_front(file_text(row), shape.width > used ? shape.width - used : 1) +
         "\n";
}

std::string heading(const TraceTableShape& shape) {
  std::string line = right("PID", kPidWidth) + " " + left("COMMAND", kCommandWidth);
  for (const Column& column : kColumns)
    if (!column.wide_only || shape.width >= kWide) line += " " + right(column.name, column.width);
  return bold(line + " FILE", shape) + "\n";
}

uint64_t count_of(const api::TraceHistogram& histogram) {
  uint64_t sum = 0;
  for (const uint64_t count : histogram) sum += count;
  return sum;
}

/// The time that a share of all stayed below, as the bucket has it.
std::string below(const api::TraceHistogram& histogram, double share) {
  const auto wanted = static_cast<double>(count_of(histogram)) * share;
  uint64_t sum = 0;
  for (size_t i = 0; i < histogram.size(); i++) {
    sum += histogram[i];
    if (histogram[i] > 0 && static_cast<double>(sum) >= wanted)
      return "<" + short_time(uint64_t{2} << i);
  }
  return "-";
}

/// From 256 ns to 1 s, a sign for each doubling.
std::string bars(const api::TraceHistogram& histogram) {
  constexpr size_t kFirst = 8;
  constexpr size_t kEnd = 30;
  constexpr std::array kSigns{"\u2581", "\u2582", "\u2583", "\u2584",
                              "\u2585", "\u2586", "\u2587", "\u2588"};
  std::array<uint64_t, kEnd - kFirst> shown{};
  for (size_t i = 0; i < histogram.size(); i++)
    shown[std::clamp(i, kFirst, kEnd - 1) - kFirst] += histogram[i];
  const uint64_t most = *std::max_element(shown.begin(), shown.end());
  std::string text;
  for (const uint64_t count : shown)
    text += count == 0 ? " " : kSigns[(count * kSigns.size() - 1) / most % kSigns.size()];
  return text;
}

std::string latency_line(const char* name, const api::TraceHistogram& histogram) {
  const uint64_t count = count_of(histogram);
  std::string line = left(name, 9) + right(short_number(count), 7);
  for (const double share : {0.5, 0.9, 0.99, 1.0}) line += right(below(histogram, share), 8);
  return line + "  |" + bars(histogram) + "|\n";
}

/// A line for each kind of loss.
std::string lost_text(const api::TraceTotals& t) {
  std::string text;
  const auto add = [&](uint64_t count, const char* what) {
    if (count > 0) text += "LOST: " + std::to_string(count) + " " + what + "\n";
  };
  add(t.lost_events, "events are not shown: more came than could be written");
  add(t.lost_calls, "calls are not counted: too many threads");
  add(t.lost_reads, "reads of devices are not counted: too many at once");
  add(t.lost_rows, "are counted under 'others': too many files and processes");
  add(t.lost_names, "names are not kept: too many files or processes");
  return text;
}

}  // namespace

std::string short_number(uint64_t value) {
  if (value == 0) return "-";
  constexpr std::array kUnits{"", "k", "M", "G", "T", "P", "E"};
  return three_digits(static_cast<double>(value), kUnits.data(), kUnits.size());
}

std::string short_time(uint64_t ns) {
  if (ns == 0) return "-";
  constexpr std::array kUnits{"ns", "us", "ms", "s"};
  auto value = static_cast<double>(ns);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    unit++;
  }
  return decimal(value, unit == 0 || value >= 9.95 ? 0 : 1, kUnits[unit]);
}

std::string process_text(const api::TraceProcess& process) {
  std::string command = process.command.empty() ? "?" : printable(process.command);
  switch (process.kind) {
    case api::TraceProcess::Kind::process:
      return command;
    case api::TraceProcess::Kind::kernel_for:
      return "kernel for " + command;
    case api::TraceProcess::Kind::kernel:
      return "[" + command + "]";
    case api::TraceProcess::Kind::unknown:
      return "unknown";
    case api::TraceProcess::Kind::others:
      return "others";
  }
  return "";
}

std::string rows_text(const api::TraceInterval& interval, const TraceTableShape& shape) {
  std::vector<const api::TraceRow*> rows;
  rows.reserve(interval.rows.size());
  for (const api::TraceRow& row : interval.rows) rows.push_back(&row);
  const size_t shown = shape.rows == 0 ? rows.size() : std::min(rows.size(), shape.rows);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown), rows.end(),
                    [](const api::TraceRow* a, const api::TraceRow* b) {
                      const uint64_t left = weight(a->counts);
                      const uint64_t right = weight(b->counts);
                      return left != right ? left > right : a->file.path < b->file.path;
                    });
  std::string text = heading(shape);
  for (size_t i = 0; i < shown; i++) text += row_text(*rows[i], shape);
  if (shown < rows.size())
    text += "        " + std::to_string(rows.size() - shown) +
            (rows.size() - shown == 1 ? " more row\n" : " more rows\n");
  return text;
}

std::string totals_text(const api::TraceInterval& interval, const TraceTableShape& shape) {
  api::TraceCounts sum;
  for (const api::TraceRow& row : interval.rows) sum.add(row.counts);
  const api::TraceTotals& t = interval.totals;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", interval.seconds);
  const double rate = interval.seconds > 0 ? static_cast<double>(t.events) / interval.seconds : 0;
  std::string text = bold("in " + std::string(seconds), shape) + " asked " +
                     short_number(sum.asked_bytes) + " got " +
                     short_number(sum.read_bytes + sum.sent_bytes) + " cache " +
                     short_number(sum.cached_bytes) + " device " + short_number(sum.device_bytes) +
                     " events/s " + short_number(static_cast<uint64_t>(rate)) + "\n";
  text += "requests " + short_number(t.requests) + ", of several files " +
          short_number(t.requests_many_files) + ", of several processes " +
          short_number(t.requests_many_processes) + "\n" + lost_text(t);
  text += left("latency", 9) + right("count", 7) + right("50%", 8) + right("90%", 8) +
          right("99%", 8) + right("all", 8) + "   256n 8us  .3ms 8ms  .3s\n";
  text += latency_line("syscall", t.syscall) + latency_line("cache", t.cache) +
          latency_line("block", t.block);
  return text;
}

std::string event_heading(const TraceTableShape& shape) {
  return bold("TIME            EVENT     PID COMMAND      ASKED   GOT  TOOK FILE @OFFSET", shape) +
         "\n";
}

EventClock::EventClock() {
  timespec real{};
  timespec monotonic{};
  ::clock_gettime(CLOCK_REALTIME, &real);
  ::clock_gettime(CLOCK_MONOTONIC, &monotonic);
  ahead_ns_ = (real.tv_sec - monotonic.tv_sec) * kNsPerSecond + real.tv_nsec - monotonic.tv_nsec;
}

std::string EventClock::text(uint64_t monotonic_ns) {
  const int64_t ns = static_cast<int64_t>(monotonic_ns) + ahead_ns_;
  const time_t second = ns / kNsPerSecond;
  if (second != second_) {
    tm broken{};
    ::localtime_r(&second, &broken);
    second_ = second;
    text_ = two_digits(broken.tm_hour) + ":" + two_digits(broken.tm_min) + ":" +
            two_digits(broken.tm_sec) + ".";
  }
  const std::string micros = std::to_string(ns % kNsPerSecond / 1000);
  return text_ + std::string(6 - micros.size(), '0') + micros;
}

std::string event_text(const api::TraceEvent& event, EventClock& clock,
                       const TraceTableShape& shape) {
  std::string line =
      clock.text(event.time_ns) + " " + left(to_string(event.kind), 5) + " " +
      right(pid_text(event.process), kPidWidth) + " " +
      left(shorten(process_text(event.process), kEventCommandWidth), kEventCommandWidth) + " " +
      right(short_number(event.asked_bytes), kNumberWidth) + " " +
      right(event.error != 0 ? "E" + std::to_string(event.error) : short_number(event.bytes),
            kNumberWidth) +
      " " + right(short_time(event.latency_ns), kNumberWidth) + " ";
  std::string where;
  if (event.has_offset) where = event.offset == 0 ? " @0" : " @" + short_number(event.offset);
  const size_t used = display_width(line) + where.size();
  const size_t room = shape.width > used + 8 ? shape.width - used : 8;
  return line + shorten_front(printable(event.file.path), room) + where + "\n";
}

std::string blind_text(const std::vector<api::TraceSight>& sights) {
  std::string text;
  for (const api::TraceSight& sight : sights)
    if (sight.place.empty())
      text += "not seen on this kernel: " + sight.what + " (" + sight.why + ")\n";
  return text;
}

std::string cost_text(const std::vector<api::TraceCost>& costs, uint64_t events) {
  std::string text;
  double all = 0;
  for (const api::TraceCost& cost : costs) {
    if (cost.runs == 0) continue;
    all += cost.seconds;
    char line[128];
    std::snprintf(line, sizeof line, "cost %-38s %12llu runs %7.0f ns each\n", cost.program.c_str(),
                  static_cast<unsigned long long>(cost.runs),
                  1e9 * cost.seconds / static_cast<double>(cost.runs));
    text += line;
  }
  if (events > 0 && !costs.empty()) {
    char line[96];
    std::snprintf(line, sizeof line, "cost of one counted event, all programs together: %.0f ns\n",
                  1e9 * all / static_cast<double>(events));
    text += line;
  }
  return text;
}

}  // namespace grapnel::cli
