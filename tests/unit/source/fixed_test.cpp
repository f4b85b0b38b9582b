#include "source/fixed.h"

#include <cstring>

#include "source_test.h"

namespace grapnel::source {
namespace {

using op::Type;
using op::TypeKind;

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

TableRequest fixed_request(std::string path, std::vector<Column> columns) {
  TableRequest request = request_of(std::move(path));
  request.format = Format::fixed;
  request.columns = std::move(columns);
  return request;
}

TEST(Fixed, WidthsFollowTheTypes) {
  EXPECT_EQ(fixed_width(Type::of(TypeKind::boolean)), 1u);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::smallint)), 2u);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::date)), 4u);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::real)), 8u);
  EXPECT_EQ(fixed_width(Type::of(TypeKind::hugeint)), 16u);
  EXPECT_EQ(fixed_width(Type::decimal(4, 2)), 2u);
  EXPECT_EQ(fixed_width(Type::decimal(5, 2)), 4u);
  EXPECT_EQ(fixed_width(Type::decimal(9, 2)), 4u);
  EXPECT_EQ(fixed_width(Type::decimal(10, 2)), 8u);
  EXPECT_EQ(fixed_width(Type::decimal(18, 2)), 8u);
  EXPECT_EQ(fixed_width(Type::decimal(19, 2)), 16u);
}

TEST(Fixed, EveryTypeAtItsExtremes) {
  const std::vector<Column> columns = {
      {"bo", Type::of(TypeKind::boolean)},  {"ti", Type::of(TypeKind::tinyint)},
      {"si", Type::of(TypeKind::smallint)}, {"in", Type::of(TypeKind::integer)},
      {"bi", Type::of(TypeKind::bigint)},   {"hu", Type::of(TypeKind::hugeint)},
      {"ut", Type::of(TypeKind::utinyint)}, {"us", Type::of(TypeKind::usmallint)},
      {"ui", Type::of(TypeKind::uinteger)}, {"ub", Type::of(TypeKind::ubigint)},
      {"d2", Type::decimal(4, 2)},          {"d4", Type::decimal(9, 4)},
      {"d8", Type::decimal(18, 0)},         {"d16", Type::decimal(38, 10)},
      {"re", Type::of(TypeKind::real)},     {"da", Type::of(TypeKind::date)}};
  std::string bytes;
  put<uint8_t>(bytes, 2);  // anything but zero is true
  put<int8_t>(bytes, -128);
  put<int16_t>(bytes, -32768);
  put<int32_t>(bytes, INT32_MIN);
  put<int64_t>(bytes, INT64_MIN);
  put<Int128>(bytes, kInt128Min);
  put<uint8_t>(bytes, 255);
  put<uint16_t>(bytes, 65535);
  put<uint32_t>(bytes, UINT32_MAX);
  put<uint64_t>(bytes, UINT64_MAX);
  put<int16_t>(bytes, -9999);
  put<int32_t>(bytes, 999999999);
  put<int64_t>(bytes, -999999999999999999);
  put<Int128>(bytes, 15);
  put<double>(bytes, -0.5);
  put<int32_t>(bytes, -1);
  TestDirectory directory;
  const auto source = open_source(fixed_request(directory.write("t.bin", bytes), columns), {});
  ASSERT_TRUE(source.ok()) << source.error().to_string();
  EXPECT_EQ((*source)->layout.record_bytes, bytes.size());
  EXPECT_EQ(rows_of(**source),
            (std::vector<std::string>{
                "true|-128|-32768|-2147483648|-9223372036854775808|"
                "-170141183460469231731687303715884105728|255|65535|4294967295|"
                "18446744073709551615|-99.99|99999.9999|-999999999999999999|0.0000000015|-0.5|"
                "1969-12-31"}));
}

TEST(Fixed, DecimalBeyondItsPrecisionIsAnError) {
  std::string bytes;
  put<int16_t>(bytes, 9999);
  put<int16_t>(bytes, 10000);
  TestDirectory directory;
  const auto source =
      open_source(fixed_request(directory.write("t.bin", bytes), {{"d", Type::decimal(4, 2)}}), {});
  ASSERT_TRUE(source.ok());
  const auto rows = rows_of(**source);
  EXPECT_EQ(rows[0], "99.99");
  EXPECT_NE(rows[1].find("record 2, byte offset 2, column d"), std::string::npos) << rows[1];
}

TEST(Fixed, SizeMustBeAMultiple) {
  TestDirectory directory;
  const auto source = open_source(
      fixed_request(directory.write("t.bin", "1234567"), {{"i", Type::of(TypeKind::integer)}}), {});
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().kind, ErrorKind::data);
  EXPECT_NE(source.error().message.find("has 7 bytes; with records of 4 bytes, 3 are left over"),
            std::string::npos)
      << source.error().message;
}

TEST(Fixed, RefusesTextAndMissingColumns) {
  TestDirectory directory;
  const std::string path = directory.write("t.bin", "1234");
  const auto text = open_source(fixed_request(path, {{"s", kVarchar}}), {});
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().kind, ErrorKind::usage);
  TableRequest request = request_of(path);
  request.format = Format::fixed;
  const auto none = open_source(request, {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind, ErrorKind::usage);
  EXPECT_NE(none.error().hint.find("columns =>"), std::string::npos);
}

TEST(Fixed, EmptyFileHasNoRecords) {
  TestDirectory directory;
  const auto source =
      open_source(fixed_request(directory.write("t.bin", ""), {{"i", kBigint}}), {});
  ASSERT_TRUE(source.ok()) << source.error().to_string();
  EXPECT_TRUE(rows_of(**source).empty());
}

}  // namespace
}  // namespace grapnel::source
