// What the hooks in the kernel have in common as seen from the chooser.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "hooks/hook.h"
#include "hooks/kernel/attach_point.h"
#include "hooks/kernel/kernel_access.h"
#include "hooks/kernel/kernel_program.h"

namespace grapnel::hooks::kernel {

class KernelHook : public Hook {
 public:
  [[nodiscard]] bool in_kernel() const final { return true; }
  /// Access to the kernel, then what the hook itself needs.
  Verdict permitted() final;
  /// The op can be lowered, and has been compiled or can be; then what the hook itself asks of the
  /// file.
  Verdict eligible(const program::Job& job) final;
  [[nodiscard]] Cost cost(const Extent& extent, Residency residency,
                          const program::Job& job) const override;
  /// Text of point(); hooks without places() say it themselves.
  [[nodiscard]] std::string attach_point() const override;

  /// Where its programs can sit; nullptr if nobody else ever passes them.
  [[nodiscard]] virtual const AttachPoints* places() const { return nullptr; }
  /// The one of places() that is used; nullptr if there is none, or before permitted().
  [[nodiscard]] const AttachPoint* point() const { return point_.load(); }

 protected:
  /// Looks, once in a process, whether what the hook needs is there (by trying, never by kernel
  /// version). This one looks for the first of places().
  virtual Verdict probe(const KernelAccess& access);
  /// `facts` with what depends on the place: by point(), or, before one was found, by the one that
  /// is tried first.
  [[nodiscard]] HookFacts at_place(HookFacts facts) const;
  /// The programs of point(), and those that are loaded beside them. Error if there is no place.
  [[nodiscard]] Result<Anchor> anchor_at_point(std::vector<std::string> loaded,
                                               uint32_t places_per_session = 1) const;
  /// Of the hook's programs: Anchor::bitcode.
  [[nodiscard]] virtual std::string_view bitcode() const = 0;
  /// The file system, say. Cheap.
  virtual Verdict suits(const program::Job& job) = 0;
  /// The job's program; the sessions of one job share it.
  Result<std::shared_ptr<KernelProgram>> program_for(const std::shared_ptr<const program::Job>& job,
                                                     const Anchor& anchor);

 private:
  std::once_flag probed_;
  Verdict probe_verdict_;
  std::atomic<const AttachPoint*> point_ = nullptr;
  ProgramShelf shelf_;
};

/// Empty if splice() works on the file's file system, else the reason. Tried on an empty range of
/// the file.
Verdict can_splice(const source::Source& source);

}  // namespace grapnel::hooks::kernel
