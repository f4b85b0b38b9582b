#include "engine/file_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"

namespace grapnel::engine {
namespace {

/// A directory of this test's own, removed at the end.
class FileReaderTest : public testing::Test {
 public:
  ~FileReaderTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

 protected:
  FileReaderTest() {
    const char* base = std::getenv("GRAPNEL_TEST_TMP");
    std::string name = std::string(base == nullptr ? "/tmp" : base) + "/file-reader-XXXXXX";
    root_ = ::mkdtemp(name.data());
    directory_ = UniqueFd(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    where_.directory_fd = directory_.get();
    where_.beneath = true;
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(root_ + "/" + name, std::ios::binary) << content;
  }

  /// All bytes of a stream, or its error.
  static Result<std::string> take_all(source::FileStream& stream) {
    std::string text;
    for (;;) {
      GRAPNEL_TRY(const source::FileChunk chunk, stream.next());
      if (chunk.bytes.empty()) return text;
      EXPECT_LE(chunk.bytes.size(), limits::kFileChunkBytes);
      text += chunk.bytes;
    }
  }
  Result<std::string> read(const source::FileRequest& request) {
    GRAPNEL_TRY(const auto stream, read_file(request, where_));
    return take_all(*stream);
  }

  std::string root_;
  UniqueFd directory_;
  source::OpenOptions where_;
};

std::string noise(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 2654435761U >> 13);
  return text;
}

TEST_F(FileReaderTest, GivesWhatIsAskedFor) {
  const std::string content = noise(5'000'001);
  write("f", content);
  EXPECT_EQ(*read({"f", 0, content.size()}), content);
  EXPECT_EQ(*read({"f", 0, UINT64_MAX}), content);
  EXPECT_EQ(*read({"f", 1'234'567, 3'456'789}), content.substr(1'234'567, 2'222'222));
  EXPECT_EQ(*read({"f", 5, 5}), "");
  EXPECT_EQ(*read({"f", content.size(), content.size() + 9}), "");
  EXPECT_EQ(*read({"f", UINT64_MAX, UINT64_MAX}), "");
}

TEST_F(FileReaderTest, WrongRequestsAreRefused) {
  write("f", "content");
  ::mkdir((root_ + "/directory").c_str(), 0755);
  EXPECT_EQ(read({"f", 2, 1}).error().kind, ErrorKind::usage);
  EXPECT_EQ(read({"directory", 0, 1}).error().kind, ErrorKind::usage);
  EXPECT_EQ(read({"../f", 0, 1}).error().kind, ErrorKind::permission);
  EXPECT_EQ(read({"/etc/passwd", 0, 1}).error().kind, ErrorKind::permission);
  EXPECT_EQ(read({"missing", 0, 1}).error().kind, ErrorKind::io);
}

TEST_F(FileReaderTest, AnotherFileOfThisNameIsRefused) {
  write("f", "content");
  source::FileRequest request{"f", 0, 100};
  auto stream = read_file(request, where_);
  ASSERT_TRUE(stream.ok());
  ASSERT_TRUE(take_all(**stream).ok());
  request.expected = (*stream)->state().identity;
  EXPECT_EQ(*read(request), "content");
  write("g", "content");
  std::filesystem::rename(root_ + "/g", root_ + "/f");
  const auto refused = read(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::changed);
}

TEST_F(FileReaderTest, TellsWhatBecomesOfTheFile) {
  write("f", noise(20 << 20));
  auto stream = read_file({"f", 0, 20 << 20}, where_);
  ASSERT_TRUE(stream.ok());
  ASSERT_TRUE((*stream)->next().ok());
  const source::FileState before = (*stream)->state();
  EXPECT_EQ(before.identity.size, 20U << 20);
  EXPECT_EQ(before.links, 1U);
  {
    // Not held up for long by the reader's lease, although nobody takes what it has read.
    const UniqueFd writer(::open((root_ + "/f").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(writer.valid());
    ASSERT_EQ(::ftruncate(writer.get(), 10 << 20), 0);
  }
  std::filesystem::remove(root_ + "/f");
  const auto rest = take_all(**stream);
  ASSERT_TRUE(rest.ok()) << rest.error().message;
  EXPECT_LT(rest->size(), 10U << 20);
  EXPECT_EQ((*stream)->state().identity.size, 10U << 20);
  EXPECT_EQ((*stream)->state().links, 0U);
}

TEST_F(FileReaderTest, CanBeCancelled) {
  write("f", noise(20 << 20));
  auto stream = read_file({"f", 0, 20 << 20}, where_);
  ASSERT_TRUE(stream.ok());
  ASSERT_TRUE((*stream)->next().ok());
  (*stream)->cancel();
  const auto rest = (*stream)->next();
  ASSERT_FALSE(rest.ok());
  EXPECT_EQ(rest.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace grapnel::engine
