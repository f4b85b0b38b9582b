#include "watch/places.h"

#include <utility>

#include "base/pretend.h"

namespace grapnel::watch {
namespace {

/// Any of these makes a watch worth while.
bool sees_reads(const Place& place) {
  return place.program == "gr_watch_read" || place.program == "gr_watch_call";
}

Status try_place(const lower::bpf::Object& object, const Place& place,
                 std::vector<lower::bpf::Link>& links) {
  const std::string switched_off = base::why_switched_off(place.where);
  if (!switched_off.empty()) return Error{ErrorKind::hook, switched_off, ""};
  GRAPNEL_TRY(auto link, object.attach(std::string(place.program)));
  links.push_back(std::move(link));
  return ok_status();
}

}  // namespace

const std::vector<Place>& all_places() {
  static const std::vector<Place> places = {
      {"gr_watch_read", "raw_tp/mm_filemap_get_pages",
       "buffered reads of every kind (since Linux 6.12)",
       "cached pages that io_uring reads are not seen"},
      {"gr_watch_map", "raw_tp/mm_filemap_map_pages", "cached pages that are mapped (since 6.12)",
       "cached pages that are mapped are not seen"},
      {"gr_watch_fault", "raw_tp/mm_filemap_fault",
       "pages that a mapping's reader waits for (since 6.12)",
       "mapped files are seen only where their pages come from the device"},
      {"gr_watch_add", "raw_tp/mm_filemap_add_to_page_cache",
       "what comes from the device into the page cache",
       "what is read ahead is seen only once it is asked for"},
      {"gr_watch_call", "tp_btf/sys_exit",
       "the ends of read(), pread(), readv(), sendfile(), splice(): what the others missed",
       "pages whose event the kernel loses are not covered, and bytes asked are not counted"},
  };
  return places;
}

Result<Attachment> Attachment::attach(const lower::bpf::Object& object) {
  Attachment attachment;
  bool any = false;
  std::optional<Error> refusal;
  std::string all;
  for (const Place& place : all_places()) {
    Status tried = try_place(object, place, attachment.links_);
    TriedPlace& result = attachment.places_.emplace_back(TriedPlace{&place, {}});
    if (tried.ok()) {
      any = any || sees_reads(place);
      continue;
    }
    result.refusal = tried.error().message;
    all += "; " + std::string(place.where) + ": " + result.refusal;
    if (!refusal) refusal = std::move(tried).error();
  }
  if (any) return attachment;
  return Error{refusal ? refusal->kind : ErrorKind::hook,
               "the kernel gives no place where reads of other processes can be seen" + all,
               "run as root, or with CAP_BPF and CAP_PERFMON; grapnel doctor --hooks tries every "
               "place"};
}

}  // namespace grapnel::watch
