// Asks the kernel how much of a file is in the page cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/unique_fd.h"

namespace grapnel::hooks {

/// Thread-safe after open. Does not own the file that it was opened for.
class PageCacheProbe {
 public:
  /// How the answer is found.
  enum class Method : uint8_t {
    cachestat,  ///< cachestat(2): exact; for who owns or may write the file, since Linux 6.5
    sampling,   ///< preadv2(RWF_NOWAIT) of single bytes: true answers, but for few pages
    none        ///< neither works here
  };

  /// `file` is kept as a number: it must stay open as long as the probe. Never fails: Method::none.
  explicit PageCacheProbe(int file);

  [[nodiscard]] Method method() const { return method_; }
  [[nodiscard]] std::string_view method_name() const;

  /// Share (0..1) of the pages of [begin, end) that are in the page cache; empty if unknown.
  [[nodiscard]] std::optional<double> cached_share(uint64_t begin, uint64_t end) const;

 private:
  [[nodiscard]] std::optional<double> by_cachestat(uint64_t begin, uint64_t end) const;
  [[nodiscard]] std::optional<double> by_sampling(uint64_t begin, uint64_t end) const;

  int file_ = -1;
  Method method_ = Method::none;
  UniqueFd sampling_file_;  ///< description of its own: its readahead is off
};

}  // namespace grapnel::hooks
