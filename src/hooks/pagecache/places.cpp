#include "hooks/pagecache/places.h"

#include "hooks/kernel/attach_probe.h"
#include "pagecache_first_look_bpf.embed.h"

namespace grapnel::hooks::pagecache {

const kernel::AttachPoints& places() {
  static const kernel::AttachPoints places{
      "place behind filemap_get_pages()",
      embedded::pagecache_first_look_bpf(),
      {{.section = "fexit/filemap_get_pages",
        .known = "exact batch, pinned",
        .programs = {"gr_pagecache_return"},
        .quick_test = kernel::can_load_fexit},
       {.section = "raw_tp/mm_filemap_get_pages",
        .known = "lossy, unpinned",
        .programs = {"gr_pagecache_event"},
        .kind = PlaceKind::tracepoint,
        .foundation = Foundation::tracepoint,
        .since = "6.12",
        .exact = false,
        .pinned = false},
       {.section = "kprobe/filemap_get_pages",
        .known = "with a kretprobe: exact batch, pinned",
        .programs = {"gr_pagecache_result", "gr_pagecache_call"}}}};
  return places;
}

}  // namespace grapnel::hooks::pagecache
