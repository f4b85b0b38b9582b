#include "hooks/pagecache/attach_point.h"

#include <string>
#include <utility>

#include "base/pretend.h"
#include "hooks/kernel/attach_probe.h"
#include "hooks/kernel/kernel_access.h"
#include "lower/bpf/object.h"
#include "pagecache_probe_bpf.embed.h"

namespace grapnel::hooks::pagecache {
namespace {

const std::vector<AttachPoint>& attach_points() {
  static const std::vector<AttachPoint> points = {
      {"fexit/filemap_get_pages (exact batch, pinned)",
       "gr_pagecache_return",
       {"gr_pagecache_return"},
       {"fexit"},
       kernel::can_load_fexit},
      {"raw_tp/mm_filemap_get_pages (lossy, unpinned)",
       "gr_pagecache_event",
       {"gr_pagecache_event"},
       {"raw_tp", "mm_filemap_get_pages"},
       nullptr},
      {"kprobe and kretprobe on filemap_get_pages (exact batch, pinned)",
       "gr_pagecache_result",
       {"gr_pagecache_result", "gr_pagecache_call"},
       {"kprobe"},
       nullptr},
  };
  return points;
}

Status try_point(const AttachPoint& point) {
  for (const std::string_view feature : point.features) {
    if (base::pretend_absent(feature))
      return Error{ErrorKind::hook, std::string(feature) + " is switched off", ""};
  }
  if (point.quick_test != nullptr) {
    if (auto verdict = point.quick_test(); !verdict.yes)
      return Error{ErrorKind::hook, std::move(verdict.reason), ""};
  }
  lower::bpf::LoadOptions options;
  options.name = "grapnel_probe";
  options.programs.assign(point.programs.begin(), point.programs.end());
  GRAPNEL_TRY(const auto object,
              lower::bpf::Object::load(embedded::pagecache_probe_bpf(), options));
  for (const std::string& program : options.programs) {
    GRAPNEL_TRY(const auto link, object.attach(program));
  }
  return ok_status();
}

}  // namespace

Result<const AttachPoint*> find_attach_point() {
  Error all{ErrorKind::hook, "the kernel gives no place behind filemap_get_pages()",
            "use another hook"};
  for (const AttachPoint& point : attach_points()) {
    const Status tried = try_point(point);
    if (tried.ok()) return &point;
    all.message += "; " + std::string(point.text) + ": " + tried.error().message;
  }
  return all;
}

}  // namespace grapnel::hooks::pagecache
