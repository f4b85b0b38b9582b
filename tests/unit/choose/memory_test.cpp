// What is learnt is kept for other processes, several at a time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "choose/learn.h"
#include "hooks/common/rates.h"
#include "hooks/scan_fixture.h"

namespace grapnel::choose {
namespace {

std::set<std::string> known_setups() {
  std::set<std::string> names;
  for (const hooks::KnownRate& rate : hooks::known_rates()) {
    if (rate.kind == "setup") names.insert(rate.what);
  }
  return names;
}

TEST(Memory, WritersAtTheSameTimeLoseNothing) {
  const scan_test::Directory directory;
  setenv("XDG_CACHE_HOME", directory.path().c_str(), 1);
  constexpr int kWriters = 6;
  std::vector<pid_t> children;
  for (int i = 0; i < kWriters; i++) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const std::string name = "writer" + std::to_string(i);
      const Status kept = remember([&] { hooks::calibrate_setup(name, {0.5, 0}); });
      _exit(kept.ok() ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  ASSERT_TRUE(remember([] {}).ok());
  for (int i = 0; i < kWriters; i++) {
    EXPECT_TRUE(known_setups().contains("writer" + std::to_string(i))) << i;
  }
}

TEST(Memory, WhatIsDamagedIsAsNone) {
  const scan_test::Directory directory;
  setenv("XDG_CACHE_HOME", directory.path().c_str(), 1);
  ASSERT_TRUE(remember([] { hooks::calibrate_setup("before", {0.5, 0}); }).ok());
  for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/grapnel")) {
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  }
  EXPECT_TRUE(remember([] {}).ok());
}

TEST(Memory, WithoutADirectoryThisProcessKnows) {
  const scan_test::Directory directory;
  const std::string file = directory.write("not-a-directory", "x");
  setenv("XDG_CACHE_HOME", file.c_str(), 1);
  const Status kept = remember([] { hooks::calibrate_setup("alone", {0.5, 0}); });
  EXPECT_FALSE(kept.ok());
  EXPECT_TRUE(known_setups().contains("alone"));
  std::string problem;
  EXPECT_EQ(memory_path(&problem), "");
  EXPECT_FALSE(problem.empty());
}

}  // namespace
}  // namespace grapnel::choose
