#include "choose/extent_chooser.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

#include "base/number_text.h"
#include "choose/cache_state.h"
#include "choose/limits.h"

namespace grapnel::choose {
namespace {

using hooks::HookChoice;
using Can = Priced::Can;

// A device whose speed goes up and down is corrected again and again.
constexpr unsigned kCorrectionsTold = 4;
// What counts as all or nothing of an extent from the device.
constexpr double kNearlyAll = 0.95;

// Never empty: if none is polite here, the extent was cached when the query began, and reading puts
// back what has left the cache meanwhile.
void keep_polite(std::vector<Priced>& order, std::optional<double> cached_share) {
  std::vector<Priced> polite;
  for (const Priced& priced : order) {
    if (leaves_cache_alone(*priced.hook, cached_share)) polite.push_back(priced);
  }
  if (!polite.empty()) order = std::move(polite);
}

void add_to(double& price_ns, double more_ns) {
  constexpr double kLeastNs = 0.01;
  price_ns = std::max(price_ns + more_ns, kLeastNs);
}

bool any_cheaper(const Price& price, const Price& than) {
  return price.cached_ns < than.cached_ns || price.uncached_ns < than.uncached_ns;
}

}  // namespace

ExtentChooser::ExtentChooser(std::shared_ptr<const program::Job> job, std::vector<Priced> priced,
                             const ChooserLimits& limits)
    : job_(std::move(job)),
      probe_(job_->source->file.get()),
      limits_(limits),
      data_bytes_(std::max<uint64_t>(job_->source->data_end - job_->source->data_begin, 1)),
      priced_(std::move(priced)) {}

HookChoice ExtentChooser::choose(const hooks::Extent& extent) {
  HookChoice choice;
  const std::optional<double> seen = probe_.cached_share(extent.begin, extent.end);
  if (seen) choice.residency = residency_of(*seen);
  const std::lock_guard lock(mutex_);
  const std::vector<Priced> order = in_order(seen);
  choice.first = order.front().hook;
  for (size_t i = 1; i < order.size(); i++) choice.fallbacks.push_back(order[i].hook);
  return choice;
}

std::vector<Priced> ExtentChooser::in_order(std::optional<double> cached_share) const {
  std::vector<Priced> order;
  std::copy_if(priced_.begin(), priced_.end(), std::back_inserter(order),
               [](const Priced& priced) { return priced.can == Can::yes; });
  if (limits_.polite) keep_polite(order, cached_share);
  const double share = cached_share.value_or(limits_.share_if_unknown);
  // A change in the middle pays for setting up with what is left of the file.
  const double left = corrected_ == 0 ? 1 : remaining_share();
  const auto price = [&](const Priced& priced) {
    const bool in_use = sums_.count({priced.hook, true}) + sums_.count({priced.hook, false}) > 0;
    const double setup_ns = priced.hook->setup_seconds() * 1e9 / static_cast<double>(data_bytes_);
    return priced.price.at(share) + (in_use ? 0 : setup_ns * (1 / left - 1));
  };
  std::stable_sort(order.begin(), order.end(),
                   [&price](const Priced& a, const Priced& b) { return price(a) < price(b); });
  return order;
}

double ExtentChooser::remaining_share() const {
  const double done = static_cast<double>(done_bytes_) / static_cast<double>(data_bytes_);
  return std::clamp(1 - done, 1e-6, 1.0);
}

void ExtentChooser::observe(const hooks::ExtentTime& time) {
  if (time.bytes == 0) return;
  const std::lock_guard lock(mutex_);
  done_bytes_ += time.bytes;
  const double from_device =
      static_cast<double>(time.device_bytes) / static_cast<double>(time.bytes);
  const bool cached = from_device <= 1 - kNearlyAll;
  if (!cached && from_device < kNearlyAll) return;
  Sum& sum = sums_[{time.hook, cached}];
  sum.bytes += time.bytes;
  sum.seconds += cached ? time.cpu_seconds : time.wall_seconds;
  const auto measured = std::find_if(priced_.begin(), priced_.end(), [&time](const Priced& priced) {
    return priced.hook == time.hook;
  });
  if (sum.bytes < kLeastBytes || measured == priced_.end()) return;
  const double ns_per_byte = sum.seconds * 1e9 / static_cast<double>(sum.bytes) / limits_.threads;
  sum = {};
  correct(*measured, cached, ns_per_byte);
}

void ExtentChooser::correct(Priced& measured, bool cached, double ns_per_byte) {
  const double expected = cached ? measured.price.scan_cached_ns : measured.price.scan_uncached_ns;
  const double times = ns_per_byte / std::max(expected, 1e-6);
  const bool far_off = times > kTooFarOff || times < 1 / kTooFarOff;
  if (corrected_ == 0 && !far_off) return;
  const double more_ns = ns_per_byte - expected;
  for (Priced& priced : priced_) {
    // Hooks in user space run the same program on what is cached: if it is dear, it is for all.
    const bool same = priced.hook == measured.hook ||
                      (cached && !priced.hook->in_kernel() && !measured.hook->in_kernel());
    if (!same) continue;
    add_to(cached ? priced.price.cached_ns : priced.price.uncached_ns, more_ns);
    add_to(cached ? priced.price.scan_cached_ns : priced.price.scan_uncached_ns, more_ns);
  }
  if (!far_off) return;
  ask_cheaper_than(measured.price);
  if (++corrected_ > kCorrectionsTold) return;
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%safter %s of %s: %s took %.2g times %s",
                corrections_.empty() ? "" : "; ",
                bytes_text(static_cast<double>(done_bytes_)).c_str(),
                bytes_text(static_cast<double>(data_bytes_)).c_str(),
                std::string(measured.hook->name()).c_str(), times,
                cached ? "the CPU time expected of cached data"
                       : "as long as expected of data on the device");
  corrections_ += text.data();
}

void ExtentChooser::ask_cheaper_than(const Price& price) {
  for (Priced& priced : priced_) {
    if (priced.can != Can::not_asked || !any_cheaper(priced.price, price)) continue;
    const bool can = priced.hook->permitted().yes && priced.hook->eligible(*job_).yes;
    priced.can = can ? Can::yes : Can::no;
  }
}

std::string ExtentChooser::corrections() const {
  const std::lock_guard lock(mutex_);
  if (corrected_ <= kCorrectionsTold) return corrections_;
  return corrections_ + "; and " + std::to_string(corrected_ - kCorrectionsTold) + " times more";
}

}  // namespace grapnel::choose
