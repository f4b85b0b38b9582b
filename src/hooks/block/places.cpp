#include "hooks/block/places.h"

#include "block_first_look_bpf.embed.h"
#include "hooks/kernel/attach_probe.h"

namespace grapnel::hooks::block {

const kernel::AttachPoints& places() {
  static const kernel::AttachPoints places{
      "place where requests of block devices end",
      embedded::block_first_look_bpf(),
      {{.section = "raw_tp/block_rq_complete",
        .known = "each request, batches too; some may be lost",
        .programs = {"gr_block"},
        .kind = PlaceKind::tracepoint,
        .foundation = Foundation::tracepoint,
        .exact = false},
       {.section = "tp_btf/block_rq_complete",
        .known = "each request, batches too; some may be lost",
        .programs = {"gr_block_typed"},
        .kind = PlaceKind::tracepoint,
        .foundation = Foundation::tracepoint,
        .exact = false},
       {.section = "fentry/blk_update_request",
        .known = "requests that do not end in batches",
        .programs = {"gr_block_call"},
        .exact = false,
        .quick_test = kernel::can_load_fentry},
       {.section = "kprobe/blk_update_request",
        .known = "requests that do not end in batches, nor on top of another probe",
        .programs = {"gr_block_probe"},
        .exact = false}},
      true};
  return places;
}

}  // namespace grapnel::hooks::block
