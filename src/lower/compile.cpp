#include "lower/compile.h"

#include <xxhash.h>

#include <cstdlib>

#include "generator_fingerprint.h"
#include "lower/plugin/client.h"

namespace grapnel::lower {
namespace {

constexpr std::string_view kLlvmVersion = GRAPNEL_LLVM_VERSION;

void append_hash(std::string& key, std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  key.append(reinterpret_cast<const char*>(&hash), sizeof hash);
}

/// All that decides what the object looks like.
std::string cache_key(const CompileRequest& request) {
  std::string key = "generator " GRAPNEL_GENERATOR_FINGERPRINT "; llvm ";
  key += kLlvmVersion;
  key += "; machine ";
  key += request.machine;
  key += "; template ";
  append_hash(key, request.record_template);
  if (!request.anchor.empty()) {
    key += "; anchor ";
    append_hash(key, request.anchor);
  }
  key += "; plan ";
  key += request.plan.encode();
  return key;
}

Result<CompiledObject> run_compiler(const CompileRequest& request) {
  GRAPNEL_TRY(const plugin::Compiler* compiler, plugin::open_compiler());
  const std::string plan = request.plan.encode();
  const std::string keep(request.entry);
  const std::string bpf_cpu(request.bpf_cpu);
  grapnel_jit_request input{};
  input.template_bitcode = request.record_template.data();
  input.template_size = request.record_template.size();
  input.anchor_bitcode = request.anchor.data();
  input.anchor_size = request.anchor.size();
  input.plan = plan.data();
  input.plan_size = plan.size();
  input.keep = keep.c_str();
  input.bpf_cpu = bpf_cpu.c_str();
  if (const char* print = ::getenv("GRAPNEL_PRINT_IR")) input.print_ir = print[0] == '2' ? 2 : 1;
  grapnel_jit_result output{};
  const int failed = compiler->compile(&input, &output);
  CompiledObject object;
  object.compile_ms = output.parse_ms + output.generate_ms + output.optimise_ms + output.emit_ms;
  std::string error;
  if (failed == 0)
    object.bytes.assign(output.object, output.object_size);
  else
    error = output.error == nullptr ? "the compiler failed: out of memory" : output.error;
  compiler->free_result(&output);
  if (!error.empty())
    return Error{ErrorKind::internal, std::move(error),
                 "GRAPNEL_NATIVE=interpreter runs queries without the compiler"};
  return object;
}

}  // namespace

Result<CompiledObject> compile(const CompileRequest& request, const ObjectCache& cache) {
  const std::string key = cache_key(request);
  ObjectCache::Lookup lookup = cache.find(key);
  if (lookup.object) {
    CompiledObject object;
    object.bytes = *std::move(lookup.object);
    object.from_cache = true;
    return object;
  }
  if (request.only_if_cached) {
    return Error{ErrorKind::hook, "not compiled yet, and compiling would take longer", {}, 0, {}};
  }
  auto object = run_compiler(request);
  if (!object) return object;
  object->note = std::move(lookup.problem);
  if (const Status stored = cache.store(key, object->bytes); !stored.ok() && object->note.empty())
    object->note = stored.error().to_string();
  return object;
}

const ObjectCache& user_cache() {
  static const ObjectCache cache = ObjectCache::open();
  return cache;
}

}  // namespace grapnel::lower
