#include "wire/flight/file_messages.h"

#include <gtest/gtest.h>

#include <random>

namespace grapnel::wire {
namespace {

using source::FileIdentity;
using source::FileRequest;
using source::FileState;
using source::Stability;

constexpr FileIdentity kIdentity{0xfedc'ba98'7654'3210, 7, uint64_t{1} << 50, -1, INT64_MAX};

TEST(FileMessages, RequestsComeBack) {
  FileRequest request{std::string("a\0\xff/b", 5), 3, UINT64_MAX, std::nullopt};
  for (const bool expects : {false, true}) {
    if (expects) request.expected = kIdentity;
    const auto same = decode_file_request(encode_file_request(request));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->path, request.path);
    EXPECT_EQ(same->begin, request.begin);
    EXPECT_EQ(same->end, request.end);
    EXPECT_EQ(same->expected, request.expected);
  }
}

TEST(FileMessages, StatesComeBack) {
  for (const auto stability : {Stability::leased, Stability::checked, Stability::writers}) {
    const auto same = decode_file_state(encode_file_state({kIdentity, 0, stability}));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->identity, kIdentity);
    EXPECT_EQ(same->links, 0U);
    EXPECT_EQ(same->stability, stability);
  }
}

TEST(FileMessages, PartsOfThemAreRefused) {
  const std::string ticket = encode_file_request({"path", 1, 2, kIdentity});
  // Without its last field the ticket is a good one: nothing is expected then.
  const std::string without = encode_file_request({"path", 1, 2, std::nullopt});
  for (size_t size = kFileTicket.size(); size < ticket.size(); size++) {
    if (size == without.size()) continue;
    EXPECT_FALSE(decode_file_request(ticket.substr(0, size))) << size;
  }
  const std::string state = encode_file_state({kIdentity, 1, Stability::checked});
  for (size_t size = 0; size < state.size(); size++) {
    EXPECT_FALSE(decode_file_state(state.substr(0, size))) << size;
  }
}

TEST(FileMessages, GarbageDoesNoHarm) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 100'000; i++) {
    std::string bytes(random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    (void)decode_file_request(std::string(kFileTicket) + bytes);
    (void)decode_file_state(bytes);
  }
}

}  // namespace
}  // namespace grapnel::wire
