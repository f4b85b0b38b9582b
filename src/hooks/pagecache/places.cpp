#include "hooks/pagecache/places.h"

#include "hooks/kernel/attach_probe.h"
#include "pagecache_first_look_bpf.embed.h"

namespace grapnel::hooks::pagecache {

const kernel::AttachPoints& places() {
  static const kernel::AttachPoints places{
      "place behind filemap_get_pages()",
      embedded::pagecache_first_look_bpf(),
      {{"fexit/filemap_get_pages (exact batch, pinned)",
        "gr_pagecache_return",
        {"gr_pagecache_return"},
        {"fexit"},
        kernel::can_load_fexit},
       {"raw_tp/mm_filemap_get_pages (lossy, unpinned)",
        "gr_pagecache_event",
        {"gr_pagecache_event"},
        {"raw_tp", "mm_filemap_get_pages"}},
       {"kprobe and kretprobe on filemap_get_pages (exact batch, pinned)",
        "gr_pagecache_result",
        {"gr_pagecache_result", "gr_pagecache_call"},
        {"kprobe"}}}};
  return places;
}

}  // namespace grapnel::hooks::pagecache
