#include "api/address.h"

#include <gtest/gtest.h>

namespace grapnel::api {
namespace {

TEST(Address, Forms) {
  const auto named = parse_address("storage7:31337");
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->host, "storage7");
  EXPECT_EQ(named->port, 31337);
  EXPECT_EQ(parse_address("10.0.0.1:0")->port, 0);
  EXPECT_EQ(parse_address("storage7")->port, 31337);
  const auto six = parse_address("[::1]:99");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 99);
  EXPECT_EQ(six->to_string(), "[::1]:99");
}

TEST(Address, Refused) {
  for (const char* text : {"", ":1", "host:", "host:x", "host:70000", "host:-1", "host:1x", "::1",
                           "[::1", "[::1]x", "[]:1"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().kind, grapnel::ErrorKind::usage) << text;
  }
}

TEST(Address, Loopback) {
  for (const char* text : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "localhost:1"}) {
    EXPECT_TRUE(parse_address(text)->is_loopback()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "storage7:1", "128.0.0.1:1", "127.0.0.1.example:1"}) {
    EXPECT_FALSE(parse_address(text)->is_loopback()) << text;
  }
}

}  // namespace
}  // namespace grapnel::api
