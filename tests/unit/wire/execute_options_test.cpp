#include <gtest/gtest.h>

#include "wire/executor.h"

namespace grapnel::wire {
namespace {

TEST(ExecuteOptions, SurviveTheWire) {
  ExecuteOptions options;
  options.hook = "pipe,any";
  options.threads = 7;
  options.error_if_grown = true;
  options.strict_stability = true;
  options.ship_offer = ShipOffer{1.5e9, 0.01, 3};
  options.why_shipped = "stays here";
  auto back = ExecuteOptions::from_json(options.to_json());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->hook, "pipe,any");
  EXPECT_EQ(back->threads, 7u);
  EXPECT_TRUE(back->error_if_grown);
  EXPECT_TRUE(back->strict_stability);
  ASSERT_TRUE(back->ship_offer);
  EXPECT_EQ(back->ship_offer->link_bytes_per_second, 1.5e9);
  EXPECT_EQ(back->ship_offer->rtt_seconds, 0.01);
  EXPECT_EQ(back->ship_offer->threads, 3U);
  EXPECT_EQ(back->why_shipped, "");

  auto defaults = ExecuteOptions::from_json(ExecuteOptions{}.to_json());
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(defaults->hook, "");
  EXPECT_EQ(defaults->threads, 0u);
  EXPECT_FALSE(defaults->error_if_grown);
}

TEST(ExecuteOptions, RefuseWhatTheyDoNotKnow) {
  for (const char* text : {"", "[]", "{", "{\"hok\":\"read\"}", "{\"threads\":-1}",
                           "{\"threads\":\"2\"}", "{\"ship_offer\":{}}",
                           R"({"ship_offer":{"link_bytes_per_second":-1,"rtt_seconds":0,)"
                           R"("threads":1}})",
                           "{\"hook\":1}"}) {
    auto options = ExecuteOptions::from_json(text);
    ASSERT_FALSE(options.ok()) << text;
    EXPECT_EQ(options.error().kind, ErrorKind::usage);
  }
}

}  // namespace
}  // namespace grapnel::wire
