// From what the kernel knows of a file's name to what a person reads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trace/layout.h"

namespace grapnel::trace {

inline uint32_t major_of(uint32_t device) { return device >> 20; }
inline uint32_t minor_of(uint32_t device) { return device & 0xfffff; }

/// Where file systems are mounted, as this process sees it.
class Mounts {
 public:
  /// Reads /proc/self/mountinfo.
  static Mounts read();
  /// The same from its text.
  static Mounts parse(std::string_view mountinfo);

  /// A file system's own path as a path from the root; none if the file system, or the part of it
  /// that has the path, is mounted nowhere.
  [[nodiscard]] std::optional<std::string> from_root(uint32_t device, std::string_view path) const;

 private:
  struct Mount {
    std::string root;   ///< the part of the file system that is mounted
    std::string point;  ///< where
  };
  std::multimap<uint32_t, Mount> by_device_;
};

/// "/a/b" from the parts that the kernel walked over, "…/a/b" if directories are missing; empty if
/// there are none.
std::string path_of(const gr_name& name);

struct FileName {
  std::string text;
  bool known = false;
};

/// What to call the file. `name` as the kernel has it, or none. `mounts` is asked where the name
/// lacks what is above the file system.
FileName name_of(const gr_file_id& file, const std::optional<gr_name>& name, const Mounts& mounts);

/// Which files a user asks for: fnmatch's patterns on whole paths, "*" does not cross "/".
class PathPattern {
 public:
  /// Relative to the working directory; symbolic links in what comes before the first directory
  /// with a wildcard are resolved, since that is how the kernel names files.
  explicit PathPattern(const std::string& pattern);
  [[nodiscard]] bool fits(const std::string& path) const;
  [[nodiscard]] const std::string& text() const { return pattern_; }
  /// Descriptors' worth of paths that fit now, at most `most`.
  [[nodiscard]] std::vector<std::string> existing(size_t most) const;

 private:
  std::string pattern_;
};

}  // namespace grapnel::trace
