// Calibration: what this machine, this kernel and its devices do, measured in a few seconds and
// kept for the chooser and the model. Nothing needs it: without one, prices are built-in ratios,
// which every scan corrects.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grapnel/grapnel.h"

namespace grapnel::api {

struct CalibrateOptions {
  /// A directory on the device that is to be measured. Empty: the one of the cache.
  std::string directory;
  /// A server, "HOST:PORT": the link to it is measured, and nothing else.
  std::string on;
  double budget_seconds = 8;  ///< roughly; every figure is measured three times at least
};

/// One median that is known.
struct CalibratedFigure {
  std::string what;  ///< "read", "native", "pipe", "HOST:PORT"
  std::string
      kind;  ///< "access", "op", "device", "queue", "setup", "extent", "link", "learnt op", ...
  std::string where;        ///< "csv sum", "8:1"; may be empty
  std::string text;         ///< the figure with its unit: "0.28 ns/byte", "24.1 ms"
  double value = 0;         ///< in the unit of `unit`
  std::string unit;         ///< "ns/byte", "s", "bytes/s", "bytes"
  double second_value = 0;  ///< of queues their depth, of links the round trip in seconds
  double spread = 0;        ///< half the distance between the quartiles, relative
  double age_seconds = 0;
  /// Three scans in a row were more than twice off; of ops more than four times.
  bool contradicted = false;
};

struct Calibration {
  std::vector<CalibratedFigure> figures;  ///< all that is known, what scans have taught too
  std::string kept_in;                    ///< directory; empty: kept by this process alone
  std::string problem;                    ///< why it could not be kept
  double seconds = 0;                     ///< that measuring took; 0: nothing was measured
  std::vector<std::string> notes;         ///< what could not be measured, and why
  /// What calibrate() would measure is not known, or old, or scans contradict it.
  bool needed = true;
};

/// What is known, and whether calibrate() with these options is needed. Measures nothing.
Calibration known_calibration(const CalibrateOptions& options = {});

/// Measures, and keeps what it measured. Uses an unnamed file of some 50 MB, which goes when it is
/// closed; evicts nobody's pages. Errors: io (no room, no directory), network (--on).
Result<Calibration> calibrate(const CalibrateOptions& options);

}  // namespace grapnel::api
