#include "lower/native/native_program.h"

#include <cstdlib>
#include <cstring>

#include "base/limits.h"
#include "lower/compile.h"
#include "lower/native/level.h"
#include "lower/native/native_runner.h"
#include "lower/native/object_loader.h"
#include "program/interpreter.h"

namespace grapnel::lower::native {
namespace {

class NativeProgram final : public program::Program {
 public:
  explicit NativeProgram(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  [[nodiscard]] std::unique_ptr<program::Runner> make_runner() const override {
    return make_native_runner(code_);
  }
  [[nodiscard]] std::string name() const override { return "native " + code_->level; }

 private:
  std::shared_ptr<const Code> code_;
};

/// The interpreter, with the reason in its name.
class Fallback final : public program::Program {
 public:
  Fallback(std::shared_ptr<const program::Program> interpreter, const std::string& reason)
      : interpreter_(std::move(interpreter)),
        name_(interpreter_->name() + (reason.empty() ? "" : ": " + reason)) {}
  [[nodiscard]] std::unique_ptr<program::Runner> make_runner() const override {
    return interpreter_->make_runner();
  }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  std::shared_ptr<const program::Program> interpreter_;
  std::string name_;
};

std::string wanted_level(const Options& options) {
  if (!options.level.empty()) return options.level;
  const char* forced = ::getenv("GRAPNEL_NATIVE");
  return forced == nullptr ? "" : forced;
}

Result<std::shared_ptr<const program::Program>> compile_native(
    const std::shared_ptr<const program::Job>& job, const Level& level, const Options& options,
    Report& report) {
  GRAPNEL_TRY(const Plan plan, make_plan(*job, Target::native));
  CompileRequest request{.plan = plan,
                         .record_template = level.record_template(job->source->layout.format),
                         .machine = level.name,
                         .entry = GR_SCAN_ENTRY};
  request.only_if_cached = options.only_if_cached && wanted_level(options).empty();
  GRAPNEL_TRY(const CompiledObject object,
              compile(request, options.cache != nullptr ? *options.cache : user_cache()));
  report.from_cache = object.from_cache;
  report.compile_ms = object.compile_ms;
  report.note = object.note;
  GRAPNEL_TRY(auto loaded, LoadedObject::load(object.bytes, GR_SCAN_ENTRY));
  auto code = std::make_shared<Code>();
  code->job = job;
  code->level = level.name;
  code->scan = reinterpret_cast<gr_scan_function*>(const_cast<void*>(loaded->entry()));
  code->object = std::move(loaded);
  code->parameters = plan.parameter_block();
  return std::shared_ptr<const program::Program>(std::make_shared<NativeProgram>(std::move(code)));
}

}  // namespace

Result<std::shared_ptr<const program::Program>> make_native(std::shared_ptr<const program::Job> job,
                                                            const Options& options,
                                                            Report* report) {
  Report ignored;
  Report& done = report != nullptr ? *report : ignored;
  done = {};
  const std::string wanted = wanted_level(options);
  std::shared_ptr<const program::Program> result;
  if (wanted != "interpreter") {
    const Level* level = &best_level();
    if (!wanted.empty()) {
      GRAPNEL_TRY(level, find_level(wanted));
    }
    auto compiled = compile_native(job, *level, options, done);
    if (!compiled && options.strict) return compiled;
    if (compiled)
      result = *std::move(compiled);
    else
      done.reason = compiled.error().message;
  }
  if (!result)
    result = std::make_shared<Fallback>(program::make_interpreter(std::move(job)), done.reason);
  done.name = result->name();
  return result;
}

}  // namespace grapnel::lower::native
