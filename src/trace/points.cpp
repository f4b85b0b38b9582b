#include "trace/points.h"

#include <algorithm>
#include <utility>

#include "base/pretend.h"
#include "hooks/probe/attempts.h"
#include "hooks/probe/kernel_names.h"
#include "hooks/probe/rights.h"

namespace grapnel::trace {
namespace {

namespace probe = hooks::probe;

probe::Answer try_section(std::string_view section) {
  std::string switched_off = base::why_switched_off(section);
  if (!switched_off.empty()) return probe::Answer::no(std::move(switched_off));
  const size_t slash = section.find('/');
  const std::string name(section.substr(slash + 1));
  if (section.substr(0, slash) == "raw_tp") return probe::try_raw_tracepoint(name);
  const auto function = probe::KernelNames({}).function_id(name);
  if (!function) return probe::Answer::no("this kernel has no function of that name in its BTF");
  return probe::try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, *function);
}

/// All of them, or the first refusal.
probe::Answer try_place(const Place& place) {
  for (const std::string_view section : place.sections) {
    probe::Answer answer = try_section(section);
    if (!answer.ok) return probe::Answer::no(std::string(section) + ": " + answer.words);
  }
  return probe::Answer::yes();
}

Choice choose(const Sight& sight) {
  Choice choice{&sight, nullptr, {}};
  for (const Place& place : sight.places) {
    const probe::Answer answer = try_place(place);
    if (answer.ok) {
      choice.place = &place;
      choice.why.clear();
      break;
    }
    choice.why += (choice.why.empty() ? "" : "; ") + answer.words;
  }
  return choice;
}

bool wants(const Sight& sight, const std::vector<gr_layer>& layers) {
  return std::any_of(sight.layers.begin(), sight.layers.end(), [&](gr_layer layer) {
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
  });
}

Error cannot_see(const Choice& choice) {
  const std::string missing = probe::missing_rights();
  const std::string what = "cannot trace " + std::string(choice.sight->what) + " (" + choice.why;
  if (!missing.empty()) {
    return Error{ErrorKind::permission, what + ")",
                 "a trace shows what all users of the machine read: run it as root, or with "
                 "CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN"};
  }
  return Error{ErrorKind::hook, what + ")",
               "this kernel lacks what the layer needs: try another --layer; `grapnel doctor "
               "--hooks` lists what there is"};
}

}  // namespace

const std::vector<Sight>& all_sights() {
  static const std::vector<Sight> sights = {
      {"system calls",
       {GR_LAYER_SYSCALL, GR_LAYER_CACHE, GR_LAYER_BLOCK},
       true,
       {{{"gr_sys_enter", "gr_sys_exit"}, {"raw_tp/sys_enter", "raw_tp/sys_exit"}}}},
      {"ends of threads",
       {GR_LAYER_SYSCALL, GR_LAYER_CACHE, GR_LAYER_BLOCK},
       true,
       {{{"gr_thread_ends"}, {"raw_tp/sched_process_exit"}}}},
      {"reads by io_uring",
       {GR_LAYER_SYSCALL, GR_LAYER_CACHE},
       false,
       {{{"gr_uring_submit", "gr_uring_complete"},
         {"raw_tp/io_uring_submit_req", "raw_tp/io_uring_complete"}},
        {{"gr_uring_submit_before", "gr_uring_complete"},
         {"raw_tp/io_uring_submit_sqe", "raw_tp/io_uring_complete"}}}},
      {"pages that come into the page cache",
       {GR_LAYER_CACHE, GR_LAYER_BLOCK},
       false,
       {{{"gr_cache_add"}, {"raw_tp/mm_filemap_add_to_page_cache"}}}},
      {"the wait for the first pages of a read",
       {GR_LAYER_CACHE},
       false,
       {{{"gr_cache_pages"}, {"raw_tp/mm_filemap_get_pages"}},
        {{"gr_cache_pages_return"}, {"fexit/filemap_get_pages"}}}},
      {"page faults on mapped files",
       {GR_LAYER_CACHE},
       false,
       {{{"gr_cache_fault", "gr_cache_map"},
         {"raw_tp/mm_filemap_fault", "raw_tp/mm_filemap_map_pages"}}}},
      {"requests of block devices",
       {GR_LAYER_BLOCK},
       true,
       {{{"gr_block_queue", "gr_block_complete", "gr_block_forget"},
         {"raw_tp/block_bio_queue", "raw_tp/block_rq_complete", "raw_tp/block_bio_complete"}}}},
      {"requests that are split",
       {GR_LAYER_BLOCK},
       false,
       {{{"gr_block_split"}, {"raw_tp/block_split"}}}},
  };
  return sights;
}

Result<std::vector<Choice>> choose_places(const std::vector<gr_layer>& layers) {
  std::vector<Choice> choices;
  for (const Sight& sight : all_sights()) {
    if (!wants(sight, layers)) continue;
    Choice choice = choose(sight);
    if (choice.place == nullptr && sight.required) return cannot_see(choice);
    choices.push_back(std::move(choice));
  }
  return choices;
}

}  // namespace grapnel::trace
