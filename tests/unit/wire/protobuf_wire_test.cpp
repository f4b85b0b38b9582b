#include "wire/flight/protobuf_wire.h"

#include <gtest/gtest.h>

#include <random>

namespace grapnel::wire {
namespace {

TEST(ProtobufWire, ReadsWhatItWrote) {
  ProtobufWriter writer;
  writer.add_bytes(1, "SELECT 1");
  writer.add_varint(2, 0);
  writer.add_varint(3, 300);
  writer.add_varint(4, UINT64_MAX);
  writer.add_bytes(5, "");
  const std::string message = writer.take();

  ProtobufReader reader(message);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 1u);
  ASSERT_TRUE(reader.is_bytes());
  EXPECT_EQ(reader.bytes(), "SELECT 1");
  for (auto [field, value] : {std::pair{2u, uint64_t{0}}, {3u, uint64_t{300}}, {4u, UINT64_MAX}}) {
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.field(), field);
    ASSERT_TRUE(reader.is_varint());
    EXPECT_EQ(reader.varint(), value);
  }
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ok());
}

TEST(ProtobufWire, EncodesAsTheSpecificationShows) {
  // The example of the encoding guide: field 1 = 150 is 08 96 01.
  ProtobufWriter writer;
  writer.add_varint(1, 150);
  EXPECT_EQ(writer.take(), "\x08\x96\x01");
}

TEST(ProtobufWire, RefusesMalformedMessages) {
  for (const std::string_view message : {
           std::string_view("\x0a\x05"
                            "ab",
                            4),          // length beyond the end
           std::string_view("\x08", 1),  // varint missing
           std::string_view("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),  // too long
           std::string_view("\x00\x01", 2),      // field number 0
           std::string_view("\x0b", 1),          // a group
           std::string_view("\x09\x01\x02", 3),  // fixed64 cut short
       }) {
    ProtobufReader reader(message);
    while (reader.next()) {
    }
    EXPECT_FALSE(reader.ok());
  }
}

TEST(ProtobufWire, RandomBytesNeverReadOutside) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; round++) {
    // A heap block of exactly this size, so that a sanitizer sees one byte too many.
    std::vector<char> bytes(random() % 40);
    for (char& byte : bytes) byte = static_cast<char>(random());
    ProtobufReader reader({bytes.data(), bytes.size()});
    size_t fields = 0;
    while (reader.next()) {
      fields++;
      if (reader.is_bytes()) {
        ASSERT_LE(reader.bytes().size(), bytes.size());
      }
    }
    ASSERT_LE(fields, bytes.size());
  }
}

}  // namespace
}  // namespace grapnel::wire
