#include "engine/make_program.h"

#include "lower/native/native_program.h"
#include "program/interpreter.h"

namespace grapnel::engine {
namespace {

std::string describe(const lower::native::Report& report) {
  if (!report.reason.empty()) return "no native code: " + report.reason;
  std::string text = report.from_cache
                         ? "compiled before, from the cache"
                         : "compiled in " + std::to_string(static_cast<int>(report.compile_ms + 0.5)) + " ms";
  if (!report.note.empty()) text += "; " + report.note;
  return text;
}

}  // namespace

Result<MadeProgram> make_program(const std::shared_ptr<const program::Job>& job) {
  lower::native::Report report;
  GRAPNEL_TRY(auto program, lower::native::make_native(job, {}, &report));
  return MadeProgram{std::move(program), describe(report)};
}

}  // namespace grapnel::engine
