// The tests' main: the compiler plugin lies in the build directory, compiled objects go to a cache
// of their own. With --verdict HOOK it only says whether the hook is permitted to this user.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <filesystem>
#include <iostream>

#include "hooks/hook.h"

int main(int argc, char** argv) {
  if (const char* build = getenv("GRAPNEL_BUILD_DIR")) setenv("GRAPNEL_PLUGIN_DIR", build, 0);
  if (const char* tmp = getenv("GRAPNEL_TEST_TMP")) {
    const std::string cache = std::string(tmp) + "/cache";
    std::filesystem::create_directories(cache);
    setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  }
  if (argc == 3 && strcmp(argv[1], "--verdict") == 0) {
    const auto verdict = grapnel::hooks::find_hook(argv[2])->permitted();
    std::cout << (verdict.yes ? "yes" : "no") << "\n" << verdict.reason << "\n" << verdict.cure;
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
