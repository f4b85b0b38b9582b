#include "engine/make_program.h"

#include <cmath>

#include "lower/native/native_program.h"
#include "program/interpreter.h"

namespace grapnel::engine {
namespace {

/// Up to here the interpreter (some 100 MB/s) is done before a compiler (some 50 ms) has begun.
constexpr uint64_t kInterpretedBytes = 1 << 20;

std::string describe(const lower::native::Report& report) {
  if (!report.reason.empty()) return "no native code: " + report.reason;
  std::string text = report.from_cache
                         ? "compiled before, from the cache"
                         : "compiled in " + std::to_string(std::lround(report.compile_ms)) + " ms";
  if (!report.note.empty()) text += "; " + report.note;
  return text;
}

}  // namespace

Result<MadeProgram> make_program(const std::shared_ptr<const program::Job>& job) {
  lower::native::Report report;
  lower::native::Options options;
  options.only_if_cached = job->source->data_end - job->source->data_begin <= kInterpretedBytes;
  GRAPNEL_TRY(auto program, lower::native::make_native(job, options, &report));
  return MadeProgram{std::move(program), describe(report)};
}

}  // namespace grapnel::engine
