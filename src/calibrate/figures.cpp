// What is known, as rows for people and programs.
#include <sys/sysmacros.h>

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

}  // namespace

Calibration known_calibration() {
  choose::recall();
  Calibration known;
  known.kept_in = choose::memory_path(&known.problem);
  const int64_t now = std::time(nullptr);
  bool has_ops = false;
  bool contradicted = false;
  for (const hooks::KnownRate& rate : hooks::known_rates()) {
    CalibratedFigure figure;
    figure.what = rate.what;
    figure.kind = rate.kind;
    figure.where = where_text(rate);
    figure.spread = rate.spread;
    figure.age_seconds = static_cast<double>(now - rate.at_seconds);
    figure.contradicted = rate.contradicted;
    say(rate, figure);
    has_ops = has_ops || rate.kind == "op";
    contradicted = contradicted || rate.contradicted;
    known.figures.push_back(std::move(figure));
  }
  // What is too old is not there any more.
  known.needed = !has_ops || contradicted;
  return known;
}

}  // namespace grapnel::api
