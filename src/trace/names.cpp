#include "trace/names.h"

#include <fnmatch.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace grapnel::trace {
namespace {

/// mountinfo writes space, tab, newline and backslash as \040 and the like.
std::string unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); i++) {
    const bool octal = text[i] == '\\' && i + 3 < text.size() &&
                       text.substr(i + 1, 3).find_first_not_of("01234567") == text.npos;
    if (octal) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string read_all(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string numbers(uint32_t device) {
  return std::to_string(major_of(device)) + ":" + std::to_string(minor_of(device));
}

FileName name_of_device(uint32_t device) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink("/sys/dev/block/" + numbers(device), error);
  if (error) return {"block device " + numbers(device), false};
  return {"/dev/" + target.filename().string(), true};
}

}  // namespace

Mounts Mounts::read() { return parse(read_all("/proc/self/mountinfo")); }

Mounts Mounts::parse(std::string_view mountinfo) {
  Mounts mounts;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    uint64_t id = 0;
    uint64_t parent = 0;
    uint32_t major = 0;
    uint32_t minor = 0;
    char colon = 0;
    Mount mount;
    if (!(fields >> id >> parent >> major >> colon >> minor >> mount.root >> mount.point)) continue;
    mount.root = unescape(mount.root);
    mount.point = unescape(mount.point);
    mounts.by_device_.emplace(major << 20 | minor, std::move(mount));
  }
  return mounts;
}

std::optional<std::string> Mounts::from_root(uint32_t device, std::string_view path) const {
  const auto [begin, end] = by_device_.equal_range(device);
  for (auto it = begin; it != end; ++it) {
    const Mount& mount = it->second;
    std::string_view root = mount.root;
    if (root == "/") root = {};
    if (!path.starts_with(root)) continue;
    const std::string_view below = path.substr(root.size());
    if (!below.empty() && below.front() != '/') continue;
    return (mount.point == "/" ? "" : mount.point) + std::string(below);
  }
  return std::nullopt;
}

std::string path_of(const gr_name& name) {
  const auto* text = reinterpret_cast<const char*>(name.parts);
  const std::string_view all(text, std::min<size_t>(name.bytes, sizeof name.parts));
  std::string path;
  for (size_t end = all.size(); end > 0;) {
    // The last byte of a part is its zero.
    const size_t zero = end - 1;
    const size_t before = zero == 0 ? all.npos : all.rfind('\0', zero - 1);
    const size_t begin = before == all.npos ? 0 : before + 1;
    path += '/';
    path += all.substr(begin, zero - begin);
    end = begin;
  }
  if (!path.empty() && name.cut != 0) path.insert(0, "\u2026");
  return path;
}

FileName name_of(const gr_file_id& file, const std::optional<gr_name>& name, const Mounts& mounts) {
  if (file.is_block != 0) return name_of_device(file.device);
  if (file.inode == 0) return {"unknown file on " + numbers(file.device), false};
  std::string path = name ? path_of(*name) : "";
  if (!path.empty() && name->complete == 0 && name->cut == 0) {
    if (auto whole = mounts.from_root(file.device, path)) return {*std::move(whole), true};
    return {numbers(file.device) + ":" + path, true};
  }
  if (!path.empty()) return {std::move(path), true};
  return {"inode " + std::to_string(file.inode) + " on " + numbers(file.device), false};
}

PathPattern::PathPattern(const std::string& pattern) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(pattern, error).lexically_normal();
  const std::string text = error ? pattern : absolute.string();
  const size_t wildcard = std::min(text.find_first_of("*?[\\"), text.size());
  const size_t slash = text.rfind('/', wildcard);
  if (slash == std::string::npos || slash == 0) {
    pattern_ = text;
    return;
  }
  // A file that is named without a wildcard may itself be a link.
  const bool plain = wildcard == text.size();
  const std::string literal = plain ? text : text.substr(0, slash);
  const auto real = std::filesystem::weakly_canonical(literal, error);
  pattern_ = (error ? literal : real.string()) + (plain ? "" : text.substr(slash));
}

bool PathPattern::fits(const std::string& path) const {
  return fnmatch(pattern_.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

std::vector<std::string> PathPattern::existing(size_t most) const {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern_.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc && paths.size() < most; i++)
      paths.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  return paths;
}

}  // namespace grapnel::trace
