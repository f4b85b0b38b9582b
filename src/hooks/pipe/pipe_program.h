// A job's program in the kernel, with room for workers. Shared by the sessions of a scan.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "lower/bpf/lowering.h"
#include "lower/bpf/object.h"

namespace grapnel::hooks::pipe {

class PipeProgram;

/// One worker's place in the maps; given back when it goes away. Used by one thread.
class WorkerPlace {
 public:
  WorkerPlace(WorkerPlace&& other) noexcept;
  WorkerPlace& operator=(WorkerPlace&&) = delete;
  WorkerPlace(const WorkerPlace&) = delete;
  WorkerPlace& operator=(const WorkerPlace&) = delete;
  ~WorkerPlace();

  [[nodiscard]] uint32_t number() const { return number_; }
  [[nodiscard]] int program() const;
  [[nodiscard]] gr_worker& worker() const;
  [[nodiscard]] const gr_out_area& out() const;
  /// nullptr if the op has no keys.
  [[nodiscard]] const gr_group_area* groups() const;

 private:
  friend class PipeProgram;
  struct Load;
  WorkerPlace(std::shared_ptr<PipeProgram> owner, Load* load, uint32_t number);

  std::shared_ptr<PipeProgram> owner_;
  Load* load_;
  uint32_t number_;
};

class PipeProgram : public std::enable_shared_from_this<PipeProgram> {
 public:
  /// Lowers the job's op (from the compile cache, or by the compiler). Errors: hook, internal.
  static Result<std::shared_ptr<PipeProgram>> make(std::shared_ptr<const program::Job> job,
                                                   std::string btf_path);
  ~PipeProgram();

  /// A place for one more worker; loads the program once more if all are taken. Thread-safe.
  /// Errors: hook, permission.
  Result<WorkerPlace> take_place();

  [[nodiscard]] const program::Job& job() const { return *job_; }
  [[nodiscard]] const lower::Plan& plan() const { return lowered_.plan; }
  /// Instructions that the verifier looked at; 0 before the first place is taken.
  [[nodiscard]] uint32_t verified_instructions() const;

 private:
  friend class WorkerPlace;
  PipeProgram(std::shared_ptr<const program::Job> job, lower::bpf::Lowered lowered,
              std::string btf_path);
  Result<std::unique_ptr<WorkerPlace::Load>> load() const;
  void give_back(WorkerPlace::Load& load, uint32_t number);

  std::shared_ptr<const program::Job> job_;
  lower::bpf::Lowered lowered_;
  std::string btf_path_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<WorkerPlace::Load>> loads_;
};

}  // namespace grapnel::hooks::pipe
