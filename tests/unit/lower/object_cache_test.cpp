// The cache of compiled objects: what it keeps, and all that may go wrong with files.
#include "lower/cache/object_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "lower_fixture.h"

namespace grapnel::lower_test {
namespace {

using lower::ObjectCache;

class ObjectCacheTest : public testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/cache"; }
  /// The files in the cache.
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      found.push_back(entry.path());
    return found;
  }
  Directory directory_;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(ObjectCacheTest, FindsWhatWasStored) {
  const std::string key("key\0with zero", 13), object(
                                                   "\x7f"
                                                   "ELF\0\1\2",
                                                   7);
  {
    const ObjectCache cache = ObjectCache::open_directory(path());
    ASSERT_TRUE(cache.usable()) << cache.problem();
    EXPECT_FALSE(cache.find(key).object);
    ASSERT_TRUE(cache.store(key, object).ok());
  }
  const ObjectCache again = ObjectCache::open_directory(path());
  EXPECT_EQ(again.find(key).object, object);
  EXPECT_FALSE(again.find("other key").object);
  EXPECT_EQ(again.find("other key").problem, "");
  struct stat info;
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(files().size(), 1u);
  ASSERT_EQ(stat(files()[0].c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ObjectCacheTest, ChangedByteAnywhereIsNoticed) {
  const ObjectCache cache = ObjectCache::open_directory(path());
  ASSERT_TRUE(cache.store("key", "the object").ok());
  const auto file = files().at(0);
  const std::string good = read_file(file);
  for (size_t i = 0; i < good.size(); i++) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    std::ofstream(file, std::ios::binary) << bad;
    const auto lookup = cache.find("key");
    EXPECT_FALSE(lookup.object) << "byte " << i;
    EXPECT_NE(lookup.problem, "") << "byte " << i;
  }
  for (size_t size = 0; size < good.size(); size++) {
    std::ofstream(file, std::ios::binary) << good.substr(0, size);
    EXPECT_FALSE(cache.find("key").object) << size << " bytes";
  }
  ASSERT_TRUE(cache.store("key", "the object").ok());
  EXPECT_EQ(cache.find("key").object, "the object");
}

TEST_F(ObjectCacheTest, AnotherKeyOfTheSameNameIsNotTaken) {
  const ObjectCache cache = ObjectCache::open_directory(path());
  ASSERT_TRUE(cache.store("key one", "object one").ok());
  const auto one = files().at(0);
  ASSERT_TRUE(cache.store("key two", "object two").ok());
  for (const auto& file : files()) {
    if (file != one)
      std::filesystem::copy_file(one, file, std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_EQ(cache.find("key one").object, "object one");
  EXPECT_FALSE(cache.find("key two").object);
}

TEST_F(ObjectCacheTest, DirectoriesThatOthersMayEnterAreNotUsed) {
  for (const mode_t mode : {0755, 0770, 0777, 0701, 0720}) {
    const std::string path = directory_.path() + "/open";
    mkdir(path.c_str(), 0700);
    chmod(path.c_str(), mode);
    const ObjectCache cache = ObjectCache::open_directory(path);
    EXPECT_FALSE(cache.usable());
    EXPECT_NE(cache.problem().find("0700"), std::string::npos) << cache.problem();
    EXPECT_TRUE(cache.store("key", "object").ok()) << "no cache is no error";
    EXPECT_FALSE(cache.find("key").object);
  }
}

TEST_F(ObjectCacheTest, LinksAreNotFollowed) {
  const std::string target = directory_.path() + "/target";
  mkdir(target.c_str(), 0700);
  std::filesystem::create_directory_symlink(target, path());
  EXPECT_FALSE(ObjectCache::open_directory(path()).usable());

  const ObjectCache cache = ObjectCache::open_directory(target);
  ASSERT_TRUE(cache.store("key", "object").ok());
  const auto file = std::filesystem::directory_iterator(target)->path();
  const std::string moved = directory_.path() + "/moved";
  std::filesystem::rename(file, moved);
  std::filesystem::create_symlink(moved, file);
  EXPECT_FALSE(cache.find("key").object);
  // Storing replaces the link, not what it points to.
  ASSERT_TRUE(cache.store("key", "another object").ok());
  EXPECT_EQ(cache.find("key").object, "another object");
  EXPECT_EQ(read_file(moved).find("another"), std::string::npos);
}

TEST_F(ObjectCacheTest, WhatOthersOwnIsNotTaken) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const ObjectCache cache = ObjectCache::open_directory(path());
  ASSERT_TRUE(cache.store("key", "object").ok());
  ASSERT_EQ(chown(files().at(0).c_str(), 65534, 65534), 0);
  const auto lookup = cache.find("key");
  EXPECT_FALSE(lookup.object);
  EXPECT_NE(lookup.problem.find("user 65534"), std::string::npos) << lookup.problem;
  ASSERT_EQ(chown(path().c_str(), 65534, 65534), 0);
  const ObjectCache foreign = ObjectCache::open_directory(path());
  EXPECT_FALSE(foreign.usable());
  EXPECT_NE(foreign.problem().find("user 65534"), std::string::npos) << foreign.problem();
}

TEST_F(ObjectCacheTest, AFileThatOthersMayWriteIsNotTaken) {
  const ObjectCache cache = ObjectCache::open_directory(path());
  ASSERT_TRUE(cache.store("key", "object").ok());
  chmod(files().at(0).c_str(), 0666);
  EXPECT_FALSE(cache.find("key").object);
}

TEST_F(ObjectCacheTest, APipeInPlaceOfAFileDoesNotHang) {
  const ObjectCache cache = ObjectCache::open_directory(path());
  ASSERT_TRUE(cache.store("key", "object").ok());
  const auto file = files().at(0);
  std::filesystem::remove(file);
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(cache.find("key").object);
}

TEST_F(ObjectCacheTest, WithoutHomeThereIsNoCache) {
  const pid_t child = fork();
  if (child == 0) {
    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    const ObjectCache cache = ObjectCache::open();
    const bool good = !cache.usable() && !cache.problem().empty() && cache.store("k", "o").ok() &&
                      !cache.find("k").object;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(ObjectCacheTest, ManyWritersAndReadersSeeWholeObjects) {
  ASSERT_TRUE(ObjectCache::open_directory(path()).usable());
  const auto object_of = [](int key) { return std::string(50'000, static_cast<char>('a' + key)); };
  std::atomic<int> wrong{0}, found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; t++) {
    threads.emplace_back([&, t] {
      const ObjectCache cache = ObjectCache::open_directory(path());
      for (int i = 0; i < 100; i++) {
        const int key = (i + t) % 3;
        if (t % 2 == 0 && !cache.store("key " + std::to_string(key), object_of(key)).ok()) wrong++;
        const auto lookup = cache.find("key " + std::to_string(key));
        if (!lookup.problem.empty()) wrong++;
        if (lookup.object && *lookup.object != object_of(key)) wrong++;
        if (lookup.object) found++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 300);
  EXPECT_EQ(files().size(), 3u) << "temporary files are gone";
}

TEST_F(ObjectCacheTest, DoesNotGrowWithoutBound) {
  const ObjectCache cache = ObjectCache::open_directory(path());
  for (size_t i = 0; i < ObjectCache::kMostEntries; i++) {
    const std::string file = path() + "/old" + std::to_string(i);
    std::ofstream(file) << "x";
    const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    utimensat(AT_FDCWD, file.c_str(), long_ago, 0);
  }
  ASSERT_TRUE(cache.store("key", "object").ok());
  EXPECT_LE(files().size(), ObjectCache::kMostEntries / 2 + 1);
  EXPECT_EQ(cache.find("key").object, "object") << "the newest stays";
}

TEST_F(ObjectCacheTest, ACorruptEntryIsCompiledAnew) {
  GRAPNEL_NEEDS_COMPILER();
  const ObjectCache cache = ObjectCache::open_directory(path());
  const TableOptions table = {
      source::Format::csv,
      ',',
      '"',
      {{"n", op::Type::of(op::TypeKind::bigint)}, {"m", op::Type::of(op::TypeKind::bigint)}}};
  const std::string content = "1,2\n3,4\n";
  const auto job = make_job(open_table(directory_.write("table.csv", content), table),
                            "SELECT sum(n), sum(m) FROM 'table.csv' WHERE n > 1");
  ASSERT_TRUE(job.ok());
  const auto make = [&](lower::native::Report& report) {
    lower::native::Options options;
    options.level = "plain";
    options.cache = &cache;
    options.strict = true;
    const auto made = lower::native::make_native(*job, options, &report);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    EXPECT_EQ(run(**made, **job, content).text,
              run(*program::make_interpreter(*job), **job, content).text);
  };
  lower::native::Report report;
  make(report);
  EXPECT_FALSE(report.from_cache);
  EXPECT_EQ(report.note, "");
  make(report);
  EXPECT_TRUE(report.from_cache);
  const auto file = files().at(0);
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
  std::ofstream(file, std::ios::binary) << bytes;
  make(report);
  EXPECT_FALSE(report.from_cache);
  EXPECT_NE(report.note.find("compiled again"), std::string::npos) << report.note;
  make(report);
  EXPECT_TRUE(report.from_cache);
}

}  // namespace
}  // namespace grapnel::lower_test
