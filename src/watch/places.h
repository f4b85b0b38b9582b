// The places in the kernel where a watch sits. A kernel that lacks one still has the others: what
// is seen where is said, and what nobody saw is not covered.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lower/bpf/object.h"

namespace grapnel::watch {

struct Place {
  std::string_view program;  ///< in watch.bpf.c
  std::string_view where;    ///< "raw_tp/mm_filemap_get_pages"
  std::string_view sees;     ///< in words
  std::string_view without;  ///< what is not seen where it is absent
};

const std::vector<Place>& all_places();

/// A place that was tried.
struct TriedPlace {
  const Place* place = nullptr;
  std::string refusal;  ///< the kernel's words; empty: attached
};

/// The programs of one object at their places, as long as this lives.
class Attachment {
 public:
  /// Attaches what can be attached. Errors: hook or permission, if nothing that sees reads can be.
  static Result<Attachment> attach(const lower::bpf::Object& object);
  [[nodiscard]] const std::vector<TriedPlace>& places() const { return places_; }
  /// Takes the programs away; what they have marked stays.
  void detach() { links_.clear(); }

 private:
  std::vector<lower::bpf::Link> links_;
  std::vector<TriedPlace> places_;
};

}  // namespace grapnel::watch
