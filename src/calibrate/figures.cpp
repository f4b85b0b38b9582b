// What is known, as rows for people and programs.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/number_text.h"
#include "choose/learn.h"
#include "grapnel/calibrate.h"
#include "hooks/common/rates.h"

namespace grapnel::api {
namespace {

std::string where_text(const hooks::KnownRate& rate) {
  if (rate.kind == "op") return choose::op_class_name(rate.where);
  if (rate.kind == "device" || rate.kind == "queue" || rate.kind == "learnt device") {
    return std::to_string(major(rate.where)) + ":" + std::to_string(minor(rate.where));
  }
  if (rate.kind == "learnt op") {
    char text[24];
    std::snprintf(text, sizeof text, "shape %08llx",
                  static_cast<unsigned long long>(rate.where >> 32));
    return text;
  }
  return {};
}

void say(const hooks::KnownRate& rate, CalibratedFigure& figure) {
  if (rate.kind == "setup" || rate.kind == "extent") {
    figure.value = rate.wall_ns * 1e-9;
    figure.unit = "s";
    figure.text = seconds_text(figure.value);
  } else if (rate.kind == "queue") {
    figure.value = rate.wall_ns;
    figure.second_value = rate.cpu_ns;
    figure.unit = "bytes";
    figure.text = formatted("%.0f KiB", rate.wall_ns / 1024) + formatted(" x %.0f", rate.cpu_ns);
  } else if (rate.kind == "link") {
    figure.value = 1e9 / rate.wall_ns;
    figure.second_value = rate.cpu_ns * 1e-9;
    figure.unit = "bytes/s";
    figure.text = formatted("%.3g GB/s", figure.value / 1e9) + ", " +
                  seconds_text(figure.second_value) + " round trip";
  } else if (rate.kind == "device" || rate.kind == "learnt device") {
    figure.value = 1e9 / rate.wall_ns;
    figure.unit = "bytes/s";
    figure.text = formatted("%.3g GB/s", figure.value / 1e9);
  } else {
    figure.value = rate.cpu_ns;
    figure.unit = "ns/byte";
    figure.text = formatted("%.3f ns/byte", rate.cpu_ns);
  }
}

/// Whether what calibrate() would measure is not known (what is too old is not there any more), or
/// contradicted.
bool is_needed(const std::vector<hooks::KnownRate>& rates, const CalibrateOptions& options) {
  if (!options.on.empty()) return !hooks::known_link(options.on);
  const auto any = [&rates](const auto& property) {
    return std::any_of(rates.begin(), rates.end(), property);
  };
  if (any([](const auto& rate) { return rate.contradicted; })) return true;
  if (!any([](const auto& rate) { return rate.kind == "op"; })) return true;
  if (options.directory.empty()) return false;
  // A directory that is not there is for calibrate() to report.
  struct stat status{};
  return stat(options.directory.c_str(), &status) != 0 || !any([&status](const auto& rate) {
           return rate.kind == "device" && rate.where == status.st_dev;
         });
}

}  // namespace

Calibration known_calibration(const CalibrateOptions& options) {
  choose::recall();
  Calibration known;
  known.kept_in = choose::memory_path(&known.problem);
  const int64_t now = std::time(nullptr);
  const std::vector<hooks::KnownRate> rates = hooks::known_rates();
  for (const hooks::KnownRate& rate : rates) {
    CalibratedFigure figure;
    figure.what = rate.what;
    figure.kind = rate.kind;
    figure.where = where_text(rate);
    figure.spread = rate.spread;
    figure.age_seconds = static_cast<double>(now - rate.at_seconds);
    figure.contradicted = rate.contradicted;
    say(rate, figure);
    known.figures.push_back(std::move(figure));
  }
  known.needed = is_needed(rates, options);
  return known;
}

}  // namespace grapnel::api
