#include "base/pretend.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace grapnel::base {
namespace {

// The variable is read once in a process: one test holds all that can be said about it.
TEST(Pretend, NamesAreWholeAndSeparatedByCommas) {
  ASSERT_EQ(setenv("GRAPNEL_PRETEND_ABSENT", "fexit,,mm_filemap_get_pages,lsm,", 1), 0);
  EXPECT_TRUE(pretend_absent("fexit"));
  EXPECT_TRUE(pretend_absent("mm_filemap_get_pages"));
  EXPECT_FALSE(pretend_absent("fentry"));
  EXPECT_FALSE(pretend_absent("mm_filemap"));
  EXPECT_FALSE(pretend_absent(""));
  EXPECT_EQ(pretended_absent(), (std::vector<std::string>{"fexit", "mm_filemap_get_pages", "lsm"}));
  EXPECT_EQ(why_switched_off("fexit/filemap_get_pages"),
            "fexit is switched off (GRAPNEL_PRETEND_ABSENT)");
  EXPECT_EQ(why_switched_off("raw_tp/mm_filemap_get_pages"),
            "mm_filemap_get_pages is switched off (GRAPNEL_PRETEND_ABSENT)");
  EXPECT_EQ(why_switched_off("lsm.s/file_ioctl"), "lsm is switched off (GRAPNEL_PRETEND_ABSENT)");
  EXPECT_EQ(why_switched_off("kprobe/filemap_get_pages"), "");
  EXPECT_EQ(why_switched_off("sk_msg"), "");
  ASSERT_EQ(unsetenv("GRAPNEL_PRETEND_ABSENT"), 0);
  EXPECT_TRUE(pretend_absent("fexit")) << "read once";
}

}  // namespace
}  // namespace grapnel::base
