#include "watch/cached_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hooks/scan_fixture.h"

namespace grapnel::watch {
namespace {

constexpr uint64_t kPageBytes = 4096;

class CachedBytesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; content_.size() < 40 * kPageBytes + 777; i++)
      content_ += std::to_string(i) + '\n';
    path_ = directory_.write("file", content_);
    source_ = scan_test::open_lines(path_);
    ASSERT_NE(source_, nullptr);
  }

  [[nodiscard]] uint64_t pages() const { return (content_.size() + kPageBytes - 1) / kPageBytes; }

  static std::vector<unsigned char> look(CachedBytes& bytes, uint64_t first, uint64_t count) {
    const auto resident = bytes.look(first, count);
    EXPECT_TRUE(resident.ok());
    return resident.ok() ? **resident : std::vector<unsigned char>{};
  }

  const scan_test::Directory directory_;
  std::string content_;
  std::string path_;
  std::shared_ptr<const source::Source> source_;
};

TEST_F(CachedBytesTest, CopiesWhatIsCached) {
  auto bytes = CachedBytes::open(*source_);
  ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
  EXPECT_EQ(look(*bytes, 0, pages()), std::vector<unsigned char>(pages(), 1));
  std::string copy(content_.size(), '\0');
  ASSERT_EQ(bytes->copy(0, content_.size(), copy.data()), content_.size());
  EXPECT_EQ(copy, content_);
  ASSERT_EQ(bytes->copy(3 * kPageBytes, 3 * kPageBytes + 10, copy.data()), 10U);
  EXPECT_EQ(copy.substr(0, 10), content_.substr(3 * kPageBytes, 10));
}

TEST_F(CachedBytesTest, LookingBringsNothingIn) {
  const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  fsync(file);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
  auto bytes = CachedBytes::open(*source_);
  ASSERT_TRUE(bytes.ok());
  const auto first = look(*bytes, 0, pages());
  if (std::count(first.begin(), first.end(), 0) == 0)
    GTEST_SKIP() << "this file system keeps its pages";
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(look(*bytes, 0, pages()), first);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(before.ru_inblock, after.ru_inblock);
}

TEST_F(CachedBytesTest, AFileThatWasCutGivesNothing) {
  auto bytes = CachedBytes::open(*source_);
  ASSERT_TRUE(bytes.ok());
  look(*bytes, 0, pages());
  ASSERT_EQ(truncate(path_.c_str(), 2 * kPageBytes), 0);
  std::string copy(content_.size(), '\0');
  EXPECT_EQ(bytes->copy(0, content_.size(), copy.data()), 0U);
  EXPECT_EQ(bytes->copy(0, kPageBytes, copy.data()), 0U);
  // Looked at anew, what is left is there.
  look(*bytes, 0, 1);
  ASSERT_EQ(bytes->copy(0, kPageBytes, copy.data()), kPageBytes);
  EXPECT_EQ(copy.substr(0, kPageBytes), content_.substr(0, kPageBytes));
}

}  // namespace
}  // namespace grapnel::watch
