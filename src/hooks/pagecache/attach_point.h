// The places where pagecache.bpf.c can sit, best first. A new kernel costs one more row.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "hooks/hook.h"

namespace grapnel::hooks::pagecache {

struct AttachPoint {
  /// "fexit/filemap_get_pages (exact batch, pinned)": where, and what is known there.
  std::string_view text;
  std::string_view entry;  ///< the program that runs the op
  /// All programs to be attached: the entry, and what it needs beside it.
  std::vector<std::string_view> programs;
  /// Names for base::pretend_absent; any of them switches the place off.
  std::vector<std::string_view> features;
  /// Says no at once where loading would take long to fail; or nullptr.
  Verdict (*quick_test)();
};

/// The first place that this kernel gives, found by loading and attaching programs that do nothing.
/// Takes some milliseconds; nothing stays attached. Errors: hook (each place, and why not),
/// permission.
Result<const AttachPoint*> find_attach_point();

}  // namespace grapnel::hooks::pagecache
