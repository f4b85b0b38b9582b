#include "base/pretend.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace grapnel::base {
namespace {

// The variable is read once in a process: one test holds all that can be said about it.
TEST(Pretend, NamesAreWholeAndSeparatedByCommas) {
  ASSERT_EQ(setenv("GRAPNEL_PRETEND_ABSENT", "fexit,,mm_filemap_get_pages,", 1), 0);
  EXPECT_TRUE(pretend_absent("fexit"));
  EXPECT_TRUE(pretend_absent("mm_filemap_get_pages"));
  EXPECT_FALSE(pretend_absent("fentry"));
  EXPECT_FALSE(pretend_absent("mm_filemap"));
  EXPECT_FALSE(pretend_absent(""));
  EXPECT_EQ(pretended_absent(), (std::vector<std::string>{"fexit", "mm_filemap_get_pages"}));
  ASSERT_EQ(unsetenv("GRAPNEL_PRETEND_ABSENT"), 0);
  EXPECT_TRUE(pretend_absent("fexit")) << "read once";
}

}  // namespace
}  // namespace grapnel::base
