// Which hook does an extent: by what is cached of it now, and by what the hooks took so far of this
// scan, where that is far from what was expected.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "choose/price.h"
#include "hooks/common/extent_time.h"
#include "hooks/common/page_cache.h"
#include "hooks/hook.h"
#include "program/program.h"

namespace grapnel::choose {

/// A hook with its price and its line in the table.
struct Priced {
  enum class Can : uint8_t { not_asked, yes, no };

  hooks::Hook* hook = nullptr;
  size_t line = 0;
  Price price;
  Can can = Can::not_asked;
};

struct ChooserLimits {
  double threads = 1;
  double share_if_unknown = 0.5;  ///< of an extent that is cached, where that cannot be seen
  bool polite = false;            ///< what would fill the page cache comes last
};

/// Thread-safe; shared by all workers of a scan.
class ExtentChooser {
 public:
  /// `priced`: one can at least. Those that were not asked are asked when all others turn out to be
  /// dearer.
  ExtentChooser(std::shared_ptr<const program::Job> job, std::vector<Priced> priced,
                const ChooserLimits& limits);

  [[nodiscard]] hooks::HookChoice choose(const hooks::Extent& extent);

  /// Takes in what an extent took. Once a hook has done kLeastBytes and was more than kTooFarOff
  /// times dearer or cheaper than expected, what was measured counts instead, from then on for all
  /// hooks. Of what is cached CPU time counts, as waiting for others tells nothing; of what is not,
  /// the time on the clock.
  void observe(const hooks::ExtentTime& time);

  /// What was corrected, for people: "after 71 MB of 734 MB: read took 2.6 times what was expected
  /// of cached data"; empty if nothing was.
  [[nodiscard]] std::string corrections() const;

  static constexpr uint64_t kLeastBytes = 64 << 20;
  static constexpr double kTooFarOff = 2;

 private:
  struct Sum {
    uint64_t bytes = 0;
    double seconds = 0;
  };

  [[nodiscard]] std::vector<Priced> in_order(std::optional<double> cached_share) const;
  void correct(Priced& measured, bool cached, double ns_per_byte);
  void ask_cheaper_than(const Price& price);
  [[nodiscard]] double remaining_share() const;

  const std::shared_ptr<const program::Job> job_;
  const hooks::PageCacheProbe probe_;
  const ChooserLimits limits_;
  const uint64_t data_bytes_;

  mutable std::mutex mutex_;
  std::vector<Priced> priced_;
  std::map<std::pair<const hooks::Hook*, bool>, Sum> sums_;  ///< by hook, and whether cached
  uint64_t done_bytes_ = 0;
  unsigned corrected_ = 0;
  std::string corrections_;  ///< the first few
};

}  // namespace grapnel::choose
