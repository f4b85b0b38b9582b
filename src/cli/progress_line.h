// One line on the terminal that says how far a query is.
#pragma once

#include <string>

#include "grapnel/grapnel.h"

namespace grapnel::cli {

/// "45 %  345.2 of 766.1 MB  2.31 GB/s  read  0.2 s left"
std::string progress_text(const api::Progress& progress);

/// Draws on standard error if that is a terminal; erases what it drew at the end.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted);
  ~ProgressLine() { erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// What execute() takes: empty if nothing is to be drawn. Refers to this object.
  api::ProgressFunction function();
  /// Not while a query runs that may call function().
  void erase();

 private:
  bool enabled_;
  bool drawn_ = false;
};

}  // namespace grapnel::cli
