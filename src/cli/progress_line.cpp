#include "cli/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "cli/number_text.h"

namespace grapnel::cli {
namespace {

/// Queries that end sooner show no line at all.
constexpr double kQuietSeconds = 0.3;

void write_error_stream(std::string_view text) {
  // Cosmetic: a terminal that is gone must not end the query.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string progress_text(const api::Progress& progress) {
  const auto done = static_cast<double>(progress.bytes_done);
  const auto total = static_cast<double>(progress.bytes_total);
  const double rate = progress.seconds > 0 ? done / progress.seconds : 0;
  std::string text = formatted("%3.0f %%", total > 0 ? 100 * done / total : 0) + "  " +
                     bytes_text(done) + " of " + bytes_text(total) + "  " + bytes_text(rate) + "/s";
  if (!progress.hook.empty()) text += "  " + progress.hook;
  if (rate > 0) text += formatted("  %.1f s left", std::max(0.0, total - done) / rate);
  return text;
}

ProgressLine::ProgressLine(bool wanted) : enabled_(wanted && ::isatty(STDERR_FILENO) != 0) {}

api::ProgressFunction ProgressLine::function() {
  if (!enabled_) return {};
  return [this](const api::Progress& progress) {
    if (progress.seconds < kQuietSeconds) return;
    write_error_stream("\r\x1b[K" + progress_text(progress));
    drawn_ = true;
  };
}

void ProgressLine::erase() {
  if (drawn_) write_error_stream("\r\x1b[K");
  drawn_ = false;
}

}  // namespace grapnel::cli
