// Plan + record template -> object bytes: from the cache on disk, else by the compiler plugin.
#pragma once

#include <string>
#include <string_view>

#include "lower/cache/object_cache.h"
#include "lower/plan.h"

namespace grapnel::lower {

struct CompileRequest {
  const Plan& plan;
  std::string_view record_template;  ///< LLVM bitcode; its target must be the plan's
  std::string_view anchor = {};      ///< BPF: LLVM bitcode of the hook's part, see anchor.bpf.h
  /// What the object depends on beyond plan and template: CPU level or BPF cpu version.
  std::string_view machine;
  std::string_view entry;  ///< native: the symbol that stays visible
  std::string_view bpf_cpu = "v3";
  bool only_if_cached = false;  ///< do not run the compiler
};

struct CompiledObject {
  std::string bytes;
  bool from_cache = false;
  double compile_ms = 0;  ///< 0 if from the cache
  /// For statistics and EXPLAIN: an unusable cache entry, or why nothing could be stored. Mostly
  /// empty.
  std::string note;
};

/// Thread-safe. Errors: internal (the compiler failed; the message is LLVM's), hook (the plugin is
/// not there: "compiler ... is missing"; or only_if_cached, and it is not). The object is stored in
/// the cache; a cache that cannot be used is no error.
Result<CompiledObject> compile(const CompileRequest& request, const ObjectCache& cache);

/// The cache of this user, opened once.
const ObjectCache& user_cache();

}  // namespace grapnel::lower
