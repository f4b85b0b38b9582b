// The lanes of an extent (block.h), seen from user space.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hooks/block/block.h"
#include "hooks/block/spans.h"
#include "hooks/kernel/handed_out.h"
#include "hooks/kernel/kernel_program.h"

namespace grapnel::hooks::block {

/// Watches one extent at a time. Used by one thread; the programs in the kernel work in the lanes
/// at the same time, each of them in a lane that nobody else has taken.
class Lanes {
 public:
  /// Takes the places. `out_limit_bytes`: a lane that has handed out more is not used until it was
  /// emptied. Errors: hook, permission, system.
  static Result<Lanes> open(kernel::KernelProgram& program, uint64_t out_limit_bytes);
  Lanes(Lanes&& other) noexcept = default;
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  Lanes& operator=(Lanes&&) = delete;
  ~Lanes();

  /// From now on the pages of `extent` are computed when they come from the device. Precondition:
  /// stopped.
  void watch(const Extent& extent, uint64_t data_begin);

  /// Empties lanes that have much to hand out, so that they can go on.
  void make_room();

  /// When it returns nothing is computed any more. Nothing happens if it was stopped already.
  void stop();

  /// After stop(): adds everything to `result` and returns the cores. Errors: hook (a program met
  /// trouble), data, limit, io.
  Result<std::vector<Span>> collect(kernel::HandedOutRecords& exact, ExtentResult& result);

  /// The load that the lanes belong to.
  [[nodiscard]] const lower::bpf::Object& object() const { return places_.front().object(); }
  /// Of the extent: completions that were not computed.
  [[nodiscard]] gr_missed missed() const { return range().missed; }
  [[nodiscard]] double longest_run_seconds() const;

 private:
  Lanes(kernel::KernelProgram& program, std::vector<kernel::WorkerPlace> places,
        lower::bpf::MapMemory ranges, lower::bpf::MapMemory lanes, uint64_t out_limit_bytes);
  [[nodiscard]] gr_range& range() const;
  [[nodiscard]] gr_lane& lane(const kernel::WorkerPlace& place) const;
  /// Waits until nobody is in the lane, and keeps it.
  void take(gr_lane& lane) const;
  static void give_back(gr_lane& lane);
  /// Moves what a taken lane has handed out, and its finished cores, to this object.
  void empty(const kernel::WorkerPlace& place, bool finished);

  kernel::KernelProgram* program_;
  std::vector<kernel::WorkerPlace> places_;
  lower::bpf::MapMemory ranges_;
  lower::bpf::MapMemory lanes_;
  uint64_t out_limit_bytes_;
  bool stopped_ = true;
  std::vector<Span> cores_;
  std::vector<std::string> handed_out_;
};

}  // namespace grapnel::hooks::block
