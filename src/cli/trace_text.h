// A trace as a person reads it, in lines of a given width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "grapnel/trace.h"

namespace grapnel::cli {

/// "-", "999", "1.02k", "45.6M", "789G": at most five columns.
std::string short_number(uint64_t value);
/// "800ns", "12us", "3.4ms", "1.2s": at most five columns.
std::string short_time(uint64_t ns);
/// "cat", "kernel for cat", "[kworker/u4:1]", "unknown", "others".
std::string process_text(const api::TraceProcess& process);

struct TraceTableShape {
  size_t width = 80;      ///< of a line
  size_t rows = 0;        ///< at most; 0: all
  bool terminal = false;  ///< headings may be bold
};

/// The time of day of events, to microseconds.
class EventClock {
 public:
  EventClock();
  std::string text(uint64_t monotonic_ns);

 private:
  int64_t ahead_ns_ = 0;  ///< CLOCK_REALTIME, of CLOCK_MONOTONIC
  time_t second_ = -1;
  std::string text_;  ///< of that second
};

/// A line of headings and one for each row, those first that cost most; a last line says how many
/// are left out.
std::string rows_text(const api::TraceInterval& interval, const TraceTableShape& shape);
/// What belongs to no row: rates, requests, what was lost, and how long things took.
std::string totals_text(const api::TraceInterval& interval, const TraceTableShape& shape);
/// Headings of event lines.
std::string event_heading(const TraceTableShape& shape);
std::string event_text(const api::TraceEvent& event, EventClock& clock,
                       const TraceTableShape& shape);
/// A line for each thing that cannot be seen on this kernel.
std::string blind_text(const std::vector<api::TraceSight>& sights);
/// A line for each program.
std::string cost_text(const std::vector<api::TraceCost>& costs, uint64_t events);

/// The same as JSON, a line each.
std::string row_json(const char* type, const api::TraceRow& row, double seconds);
std::string totals_json(const char* type, const api::TraceInterval& interval);
std::string event_json(const api::TraceEvent& event);
std::string sight_json(const api::TraceSight& sight);
std::string cost_json(const api::TraceCost& cost);

}  // namespace grapnel::cli
