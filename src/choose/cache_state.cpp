#include "choose/cache_state.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace grapnel::choose {
namespace {

using hooks::Residency;

constexpr uint64_t kAskAllBytes = uint64_t{1} << 30;
constexpr uint64_t kAskedPlaces = 64;
constexpr uint64_t kAskedPlaceBytes = 8 << 20;

}  // namespace

Residency residency_of(double cached_share) {
  if (cached_share >= 0.99) return Residency::cached;
  return cached_share <= 0.01 ? Residency::uncached : Residency::mixed;
}

CacheState look_at_cache(const hooks::PageCacheProbe& probe, const source::Source& source) {
  CacheState state;
  state.how = probe.method_name();
  const uint64_t total = source.data_end - std::min(source.data_begin, source.data_end);
  if (total == 0 || probe.method() == hooks::PageCacheProbe::Method::none) return state;
  const bool all = total <= kAskAllBytes;
  const uint64_t places = all ? 1 : kAskedPlaces;
  const uint64_t size = all ? total : kAskedPlaceBytes;
  double sum = 0;
  for (uint64_t i = 0; i < places; i++) {
    const uint64_t begin =
        source.data_begin + (places == 1 ? 0 : (total - size) / (places - 1) * i);
    const auto share = probe.cached_share(begin, begin + size);
    if (!share) return state;
    sum += *share;
  }
  state.cached_share = sum / static_cast<double>(places);
  state.residency = residency_of(state.cached_share);
  return state;
}

std::string describe(const CacheState& cache) {
  switch (cache.residency) {
    case Residency::unknown:
      return "what is cached is unknown";
    case Residency::cached:
      return "the file is cached";
    case Residency::uncached:
      return "the file is not cached";
    case Residency::mixed:
      break;
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.0f %% of the file is cached",
                cache.cached_share * 100);
  return text.data();
}

double share_or_half(const CacheState& cache) {
  return cache.residency == Residency::unknown ? 0.5 : cache.cached_share;
}

}  // namespace grapnel::choose
