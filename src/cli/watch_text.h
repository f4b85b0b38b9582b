// What a watch says: a line for a terminal, a summary, JSON lines.
#pragma once

#include <string>
#include <vector>

#include "grapnel/watch.h"

namespace grapnel::cli {

/// "41.2 % counted  1.23 GB asked  3 s  cost 0.4 %  count_star() = 12"; without control characters.
/// `answer` may be empty.
std::string live_text(const api::WatchState& state, const std::string& answer);

/// One statement's end, in some lines for a person, without a newline at the end.
std::string summary_text(const api::Watch& watch, const api::WatchState& state, size_t number);

/// Where the watch cannot see, and why; empty if it sits everywhere it would like to.
std::string missing_places_text(const api::WatchState& state);

/// "name = value, ..." of an answer of one row, else "12 rows". Empty: there is none now.
std::string answer_text(const api::Watch& watch, size_t statement);

/// One JSON object on one line. With `ranges` what was covered and counted, too.
std::string statement_json(const api::Watch& watch, const api::WatchState& state, size_t statement,
                           bool ranges);
/// {"statement": 0, "path": "...", "covered": [[0, 4096], ...], "counted": ...}
std::string ranges_json(const api::Watch& watch, const api::WatchState& state, size_t statement);

}  // namespace grapnel::cli
