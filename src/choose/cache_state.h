// How much of a file is in the page cache.
#pragma once

#include "choose/choose.h"
#include "hooks/common/page_cache.h"

namespace grapnel::choose {

hooks::Residency residency_of(double cached_share);

/// Asks about all of a small file, about places of a large one.
CacheState look_at_cache(const hooks::PageCacheProbe& probe, const source::Source& source);

/// "the file is cached", "37 % of the file is cached", ...
std::string describe(const CacheState& cache);

/// The share to reckon with: a half where it is unknown.
double share_or_half(const CacheState& cache);

}  // namespace grapnel::choose
