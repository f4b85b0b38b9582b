// A job's op as a BPF object, and what its workers' memory says afterwards.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lower/bpf/worker.h"
#include "lower/plan.h"
#include "program/program.h"
#include "state/partial.h"

namespace grapnel::lower::bpf {

/// Empty if the job can be lowered, else the reason in words that a user understands.
std::string why_not_lowerable(const program::Job& job);

/// The plan and the compiled object (from the cache on disk, else by the compiler).
struct Lowered {
  Plan plan;
  std::string object;
  bool from_cache = false;
};

/// `anchor`: bitcode of the hook's programs, see anchor.bpf.h. Errors: hook (cannot be lowered; the
/// reason in words), internal (compiler).
Result<Lowered> lower_job(const program::Job& job, std::string_view anchor);

/// True if lower_job() would find the object in the cache. Does not compile.
bool is_compiled(const program::Job& job, std::string_view anchor);

/// Names of the programs' maps in the object.
inline constexpr const char* kWorkerMap = "gr_workers";
inline constexpr const char* kOutMap = "gr_out_areas";
inline constexpr const char* kGroupMap = "gr_group_areas";

/// Makes a worker ready for the first use: what stays the same for all extents.
void prepare_worker(gr_worker& worker, uint32_t number, const gr_parameters& parameters);

/// Makes it ready for an extent whose first record starts at `file_offset`: nothing of the last one
/// is left.
void reset_worker(gr_worker& worker, uint64_t file_offset);

/// Adds the groups (or the only state) that the worker has gathered to `partial`. `groups` is only
/// looked at if the op has keys. Errors: limit (too many groups).
Status add_worker_state(const program::Job& job, const Plan& plan, const gr_worker& worker,
                        const gr_group_area* groups, state::Partial& partial);

}  // namespace grapnel::lower::bpf
