#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <unordered_map>

#include "state/partial.h"

namespace grapnel::state {
namespace {

StateLayout layout_of_slots(uint32_t slots) {
  StateLayout layout;
  layout.slot_count = slots;
  return layout;
}

TEST(GroupTable, FindsWhatItInserted) {
  GroupTable table(layout_of_slots(3), 1000);
  uint64_t* a = table.find_or_insert("a");
  uint64_t* empty = table.find_or_insert("");
  ASSERT_NE(a, nullptr);
  ASSERT_NE(empty, nullptr);
  EXPECT_NE(a, empty);
  EXPECT_EQ(a[kFirstOffsetSlot], UINT64_MAX);
  EXPECT_EQ(a[kRecordCountSlot], 0U);
  a[2] = 42;
  EXPECT_EQ(table.find_or_insert("a"), a);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.key(0), "a");
  EXPECT_EQ(table.key(1), "");
  EXPECT_EQ(table.slots(0)[2], 42U);
}

TEST(GroupTable, AgreesWithAMap) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  GroupTable table(layout_of_slots(5), 1'000'000);
  std::unordered_map<std::string, uint64_t> expected;
  for (int i = 0; i < 200'000; i++) {
    std::string key(random() % 40, 'x');
    for (char& c : key) c = static_cast<char>(random() % 3);
    uint64_t* slots = table.find_or_insert(key);
    ASSERT_NE(slots, nullptr);
    slots[kRecordCountSlot]++;
    expected[key]++;
  }
  ASSERT_EQ(table.size(), expected.size());
  for (size_t group = 0; group < table.size(); group++)
    EXPECT_EQ(table.slots(group)[kRecordCountSlot], expected.at(std::string(table.key(group))));
  EXPECT_GT(table.memory_bytes(), expected.size() * 5 * sizeof(uint64_t));
}

TEST(GroupTable, SlotsStayWhereTheyAre) {
  GroupTable table(layout_of_slots(2), 100'000);
  std::vector<uint64_t*> places;
  for (int i = 0; i < 20'000; i++) places.push_back(table.find_or_insert(std::to_string(i)));
  for (int i = 0; i < 20'000; i++) EXPECT_EQ(table.find_or_insert(std::to_string(i)), places[i]);
}

TEST(GroupTable, SlotsLargerThanAChunk) {
  GroupTable table(layout_of_slots(10'000), 100);
  for (int i = 0; i < 50; i++) {
    uint64_t* slots = table.find_or_insert(std::to_string(i));
    slots[9'999] = static_cast<uint64_t>(i);
  }
  for (size_t i = 0; i < 50; i++) EXPECT_EQ(table.slots(i)[9'999], i);
}

TEST(GroupTable, LimitOfGroupsIsAnErrorThatNamesIt) {
  GroupTable table(layout_of_slots(2), 3);
  for (const char* key : {"a", "b", "c"}) EXPECT_NE(table.find_or_insert(key), nullptr);
  EXPECT_EQ(table.find_or_insert("d"), nullptr);
  EXPECT_NE(table.find_or_insert("b"), nullptr);
  EXPECT_EQ(table.limit_error().kind, ErrorKind::limit);
  EXPECT_EQ(table.limit_error().message, "the query has more than 3 groups");
  table.clear();
  EXPECT_EQ(table.size(), 0U);
  EXPECT_NE(table.find_or_insert("d"), nullptr);
}

TEST(GroupTable, StringsAreReplacedInPlace) {
  GroupTable table(layout_of_slots(2), 3);
  EXPECT_EQ(table.string(0), "");
  const uint64_t first = table.add_string("first");
  const uint64_t second = table.add_string("second");
  EXPECT_EQ(table.set_string(first, "1st"), first);
  EXPECT_EQ(table.string(first), "1st");
  EXPECT_EQ(table.string(second), "second");
  const size_t before = table.memory_bytes();
  for (int i = 0; i < 1000; i++) table.set_string(first, "3rd");
  EXPECT_EQ(table.memory_bytes(), before);
}

TEST(Keys, EqualKeysAreEqualEncodings) {
  const op::Type real = op::Type::of(op::TypeKind::real);
  const auto encoded = [real](double value) {
    std::string key;
    encode_key(key, op::Datum::of_real(value), real);
    return key;
  };
  EXPECT_EQ(encoded(0.0), encoded(-0.0));
  EXPECT_EQ(encoded(std::nan("")), encoded(-std::nan("1")));
  EXPECT_NE(encoded(1.0), encoded(2.0));
}

TEST(Keys, DecodeWhatWasEncoded) {
  using op::Datum;
  using op::Type;
  using op::TypeKind;
  const std::pair<Datum, Type> values[] = {
      {Datum::of_integer(-5), Type::of(TypeKind::tinyint)},
      {Datum::null(), Type::of(TypeKind::varchar)},
      {Datum::of_text(""), Type::of(TypeKind::varchar)},
      {Datum::of_text(std::string_view("a\0b", 3)), Type::of(TypeKind::varchar)},
      {Datum::of_integer(kInt128Min), Type::of(TypeKind::hugeint)},
      {Datum::of_integer(Int128{UINT64_MAX}), Type::of(TypeKind::ubigint)},
      {Datum::of_integer(123), Type::decimal(38, 5)},
      {Datum::of_real(-1.5), Type::of(TypeKind::real)},
      {Datum::of_bool(true), Type::of(TypeKind::boolean)},
      {Datum::of_integer(-719528), Type::of(TypeKind::date)},
  };
  std::string key;
  for (const auto& [value, type] : values) encode_key(key, value, type);
  size_t position = 0;
  for (const auto& [value, type] : values) {
    const Datum decoded = decode_key(key, &position, type);
    ASSERT_EQ(decoded.is_null, value.is_null);
    if (value.is_null) continue;
    EXPECT_EQ(op::compare(decoded, value, type), 0) << type.to_string();
  }
  EXPECT_EQ(position, key.size());
}

}  // namespace
}  // namespace grapnel::state
