// The places where a hook's programs can sit, best first. A new kernel costs one more row in the
// list of the hook (hooks/<hook>/places.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hooks/hook.h"
#include "lower/bpf/object.h"

namespace grapnel::hooks::kernel {

struct AttachPoint {
  /// "fexit/filemap_get_pages": the section of the first program. Either half of it is a name for
  /// base::pretend_absent.
  std::string_view section;
  std::string_view known;  ///< what is known there: "exact batch, pinned"
  /// All programs to be attached: first the one that runs the op, then what it needs beside it.
  std::vector<std::string_view> programs;
  PlaceKind kind = PlaceKind::function;
  Foundation foundation = Foundation::function;
  std::string_view since = "5.17";  ///< first release that has this place and all the rest
  bool exact = true;                ///< see HookFacts
  bool pinned = true;
  /// One more name for base::pretend_absent, of a function that the programs call; or empty.
  std::string_view calls{};
  /// Says no at once where loading would take long to fail; or nullptr.
  Verdict (*quick_test)() = nullptr;
  /// Tries out, while they are attached, whether the programs without the op do run; or nullptr.
  Verdict (*trial)(const lower::bpf::Object& looks) = nullptr;

  /// "fexit/filemap_get_pages (exact batch, pinned)"
  [[nodiscard]] std::string text() const {
    return std::string(section) + " (" + std::string(known) + ")";
  }
};

struct AttachPoints {
  std::string_view what;  ///< "place behind filemap_get_pages()": what is missing if there is none
  /// BPF object with all these programs, without the op: each does what the hook's program of that
  /// name does for bytes that are not its own.
  std::string_view first_looks;
  std::vector<AttachPoint> points;
  bool at_block_device = false;  ///< requests pass them, not calls
};

/// The programs of one place without the op, as everybody but the hook's session meets them.
/// Destroying it takes them away.
class FirstLooks {
 public:
  /// Loads and attaches them. `btf_path`: see LoadOptions. Errors: hook, permission.
  static Result<FirstLooks> attach(const AttachPoints& places, const AttachPoint& point,
                                   const std::string& btf_path);

  [[nodiscard]] const lower::bpf::Object& object() const { return object_; }

 private:
  explicit FirstLooks(lower::bpf::Object object) : object_(std::move(object)) {}
  lower::bpf::Object object_;
  std::vector<lower::bpf::Link> links_;  ///< go before the object
};

/// The first place that this kernel gives, found by trying. Takes some milliseconds; nothing stays
/// attached. Errors: hook (each place, and why not).
Result<const AttachPoint*> find_attach_point(const AttachPoints& places,
                                             const std::string& btf_path);

}  // namespace grapnel::hooks::kernel
