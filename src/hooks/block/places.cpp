#include "hooks/block/places.h"

#include "block_first_look_bpf.embed.h"
#include "hooks/kernel/attach_probe.h"

namespace grapnel::hooks::block {

const kernel::AttachPoints& places() {
  static const kernel::AttachPoints places{
      "place where requests of block devices end",
      embedded::block_first_look_bpf(),
      {{"raw_tp/block_rq_complete (each request, batches too; some may be lost)",
        "gr_block",
        {"gr_block"},
        {"raw_tp", "block_rq_complete"}},
       {"tp_btf/block_rq_complete (each request, batches too; some may be lost)",
        "gr_block_typed",
        {"gr_block_typed"},
        {"tp_btf", "block_rq_complete"}},
       {"fentry/blk_update_request (requests that do not end in batches)",
        "gr_block_call",
        {"gr_block_call"},
        {"fentry", "blk_update_request"},
        kernel::can_load_fentry},
       {"kprobe/blk_update_request (requests that do not end in batches, nor on top of another "
        "probe)",
        "gr_block_probe",
        {"gr_block_probe"},
        {"kprobe", "blk_update_request"}}},
      true};
  return places;
}

}  // namespace grapnel::hooks::block
