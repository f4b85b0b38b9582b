// A job's program in the kernel, with room for workers. Shared by the sessions of a scan.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lower/bpf/lowering.h"
#include "lower/bpf/object.h"

namespace grapnel::hooks::kernel {

/// What a hook puts into the kernel: bitcode of <hook>.bpf.c and which of its programs.
struct Anchor {
  std::string_view hook;     ///< "pipe"; shown by bpftool as grapnel_pipe
  std::string_view bitcode;  ///< see lower/bpf/anchor.bpf.h
  std::string entry;         ///< the program that runs the op
  /// Programs put at their places (by section name) while any worker has a place; the entry is
  /// among them if it is not of type syscall or sk_msg.
  std::vector<std::string> attached;
  /// Programs that are loaded and not attached, beside the entry.
  std::vector<std::string> loaded;
  uint32_t places_per_session = 1;  ///< workers that a session uses
};

class KernelProgram;

/// One worker's place in the maps; given back when it goes away. Used by one thread.
class WorkerPlace {
 public:
  WorkerPlace(WorkerPlace&& other) noexcept;
  WorkerPlace& operator=(WorkerPlace&&) = delete;
  WorkerPlace(const WorkerPlace&) = delete;
  WorkerPlace& operator=(const WorkerPlace&) = delete;
  ~WorkerPlace();

  [[nodiscard]] uint32_t number() const { return number_; }
  /// What was loaded, for programs and maps of the hook's own.
  [[nodiscard]] const lower::bpf::Object& object() const;
  [[nodiscard]] gr_worker& worker() const;
  [[nodiscard]] const gr_out_area& out() const;
  /// nullptr if the op has no keys.
  [[nodiscard]] const gr_group_area* groups() const;

 private:
  friend class KernelProgram;
  struct Load;
  WorkerPlace(std::shared_ptr<KernelProgram> owner, Load* load, uint32_t number);

  std::shared_ptr<KernelProgram> owner_;
  Load* load_;
  uint32_t number_;
};

class KernelProgram : public std::enable_shared_from_this<KernelProgram> {
 public:
  /// Lowers the job's op (from the compile cache, or by the compiler). Errors: hook, internal.
  static Result<std::shared_ptr<KernelProgram>> make(std::shared_ptr<const program::Job> job,
                                                     Anchor anchor, std::string btf_path);
  ~KernelProgram();

  /// A place for one more worker; loads (and attaches) the programs once more if all are taken.
  /// Thread-safe. Errors: hook, permission.
  Result<WorkerPlace> take_place();
  /// The same for `count` places that belong to one load, at most places_per_session.
  Result<std::vector<WorkerPlace>> take_places(uint32_t count);

  [[nodiscard]] const program::Job& job() const { return *job_; }
  [[nodiscard]] const lower::Plan& plan() const { return lowered_.plan; }
  [[nodiscard]] const Anchor& anchor() const { return anchor_; }
  /// Instructions that the verifier looked at in the entry; 0 before the first place is taken.
  [[nodiscard]] uint32_t verified_instructions() const;
  /// What lowering, loading and attaching has taken since the last call.
  double take_load_seconds();

 private:
  friend class WorkerPlace;
  KernelProgram(std::shared_ptr<const program::Job> job, Anchor anchor, lower::bpf::Lowered lowered,
                std::string btf_path);
  Result<std::unique_ptr<WorkerPlace::Load>> load() const;
  void give_back(WorkerPlace::Load& load, uint32_t number);

  std::shared_ptr<const program::Job> job_;
  Anchor anchor_;
  lower::bpf::Lowered lowered_;
  std::string btf_path_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<WorkerPlace::Load>> loads_;
  uint32_t verified_instructions_ = 0;
  double load_seconds_ = 0;
};

/// The sessions of one job share one program. Thread-safe.
class ProgramShelf {
 public:
  Result<std::shared_ptr<KernelProgram>> program_for(const std::shared_ptr<const program::Job>& job,
                                                     const Anchor& anchor,
                                                     const std::string& btf_path);

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<KernelProgram>> programs_;
};

}  // namespace grapnel::hooks::kernel
