#include "trace/names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>

namespace grapnel::trace {
namespace {

gr_name name_of_parts(std::initializer_list<std::string_view> last_first, bool complete) {
  gr_name name{};
  name.complete = complete ? 1 : 0;
  for (const std::string_view part : last_first) {
    std::memcpy(name.parts + name.bytes, part.data(), part.size());
    name.bytes += static_cast<gr_u32>(part.size()) + 1;
  }
  return name;
}

constexpr gr_file_id kFile{12, 8U << 20 | 1, 0};

TEST(TraceNames, PathOfParts) {
  EXPECT_EQ(path_of(name_of_parts({"c", "b", "a"}, true)), "/a/b/c");
  EXPECT_EQ(path_of(name_of_parts({"c"}, true)), "/c");
  EXPECT_EQ(path_of(name_of_parts({}, true)), "");
  EXPECT_EQ(path_of(name_of_parts({"new\nline", "with space"}, true)), "/with space/new\nline");
}

TEST(TraceNames, CutPathSaysSo) {
  gr_name name = name_of_parts({"c", "b"}, false);
  name.cut = 1;
  EXPECT_EQ(path_of(name), "\u2026/b/c");
  const FileName text = name_of(kFile, name, {});
  EXPECT_EQ(text.text, "\u2026/b/c");
  EXPECT_TRUE(text.known);
}

TEST(TraceNames, SizeBeyondTheRoomIsNotFollowed) {
  gr_name name = name_of_parts({"c"}, true);
  std::memset(name.parts, 'x', sizeof name.parts);
  name.bytes = 1 << 30;
  EXPECT_EQ(path_of(name).size(), sizeof name.parts);
}

TEST(TraceNames, WithoutAName) {
  EXPECT_EQ(name_of(kFile, std::nullopt, {}).text, "inode 12 on 8:1");
  EXPECT_FALSE(name_of(kFile, std::nullopt, {}).known);
  EXPECT_EQ(name_of(kFile, name_of_parts({}, true), {}).text, "inode 12 on 8:1");
  EXPECT_EQ(name_of({0, 8U << 20 | 1, 0}, std::nullopt, {}).text, "unknown file on 8:1");
  EXPECT_EQ(name_of({0, 4000U << 20 | 77, 1}, std::nullopt, {}).text, "block device 4000:77");
}

TEST(TraceNames, MountsLeadToTheRoot) {
  const Mounts mounts = Mounts::parse(
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "30 22 8:2 / /data\\040two rw - xfs /dev/sda2 rw\n"
      "31 22 8:3 /inner /part rw - xfs /dev/sda3 rw\n"
      "a line that is none\n");
  EXPECT_EQ(mounts.from_root(8U << 20 | 1, "/a/b"), "/a/b");
  EXPECT_EQ(mounts.from_root(8U << 20 | 2, "/a"), "/data two/a");
  EXPECT_EQ(mounts.from_root(8U << 20 | 3, "/inner/a"), "/part/a");
  EXPECT_EQ(mounts.from_root(8U << 20 | 3, "/innermost/a"), std::nullopt);
  EXPECT_EQ(mounts.from_root(8U << 20 | 4, "/a"), std::nullopt);
}

TEST(TraceNames, PatternsDoNotCrossDirectories) {
  const PathPattern pattern("/no such/*.csv");
  EXPECT_TRUE(pattern.fits("/no such/a.csv"));
  EXPECT_FALSE(pattern.fits("/no such/a/b.csv"));
  EXPECT_FALSE(pattern.fits("/no such/a.tbl"));
  EXPECT_TRUE(pattern.existing(10).empty());
}

TEST(TraceNames, LinksBeforeTheWildcardAreResolved) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("trace-names-" + std::to_string(getpid()));
  fs::create_directories(folder / "real");
  fs::create_directory_symlink(folder / "real", folder / "link");
  std::ofstream(folder / "real" / "a.csv") << "x";
  const std::string real = fs::canonical(folder / "real").string();
  EXPECT_TRUE(PathPattern((folder / "link" / "*.csv").string()).fits(real + "/a.csv"));
  EXPECT_TRUE(PathPattern((folder / "link" / "a.csv").string()).fits(real + "/a.csv"));
  EXPECT_EQ(PathPattern((folder / "link" / "*.csv").string()).existing(10),
            std::vector<std::string>{real + "/a.csv"});
  EXPECT_TRUE(PathPattern((folder / "link" / "*.csv").string()).existing(0).empty());
  fs::remove_all(folder);
}

}  // namespace
}  // namespace grapnel::trace
