// The attach points and means that tools like this one have used over the years, as a table: one
// row more when a kernel changes, nothing else. docs/hooks.md explains the rows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace grapnel::hooks::probe {

enum class PointKind : uint8_t {
  function,      ///< of the kernel, for fentry and kprobe
  tracepoint,    ///< for tp_btf and raw_tp
  helper,        ///< a BPF helper, or a function that programs may call (kfunc)
  program_type,  ///< a kind of BPF program, with the way in which it is attached
};
std::string_view to_string(PointKind kind);

struct KnownPoint {
  std::string_view name;
  PointKind kind;
  std::string_view area;     ///< what it is good for: "block", "page cache", "read", ...
  std::string_view since;    ///< release in which it appeared; empty: before any that matters
  std::string_view until;    ///< last release in which it could be used; empty: still there
  std::string_view changed;  ///< what happened to it, with the kernel commit where it is known
};

std::span<const KnownPoint> known_points();

}  // namespace grapnel::hooks::probe
