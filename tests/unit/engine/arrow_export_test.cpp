#include "engine/arrow_export.h"

#include <gtest/gtest.h>

#include <cstring>

#include "result_table.h"

namespace grapnel::engine {
namespace {

using op::Datum;
using op::Type;
using op::TypeKind;

const std::vector<op::OutputColumn> kColumns{
    {"flag", Type::of(TypeKind::boolean)}, {"small", Type::of(TypeKind::tinyint)},
    {"huge", Type::of(TypeKind::hugeint)}, {"price", Type::decimal(15, 2)},
    {"ratio", Type::of(TypeKind::real)},   {"name", Type::of(TypeKind::varchar)},
    {"day", Type::of(TypeKind::date)},
};

std::vector<Datum> some_row() {
  return {Datum::of_bool(true),      Datum::of_integer(-3), Datum::of_integer(kInt128Max),
          Datum::of_integer(-12345), Datum::of_real(0.5),   Datum::of_text("Ærø"),
          Datum::of_integer(9862)};
}

std::vector<Datum> null_row() { return std::vector<Datum>(kColumns.size(), Datum::null()); }

template <typename Value>
Value value_at(const ArrowArray& array, size_t index) {
  Value value;
  std::memcpy(&value, static_cast<const char*>(array.buffers[1]) + index * sizeof value,
              sizeof value);
  return value;
}

TEST(ArrowExport, SchemaNamesTypes) {
  ArrowSchema schema;
  export_schema(kColumns, &schema);
  ASSERT_STREQ(schema.format, "+s");
  ASSERT_EQ(schema.n_children, 7);
  const char* formats[] = {"b", "c", "d:38,0", "d:15,2", "g", "u", "tdD"};
  for (size_t i = 0; i < 7; i++) {
    EXPECT_STREQ(schema.children[i]->format, formats[i]);
    EXPECT_EQ(schema.children[i]->name, kColumns[i].name);
    EXPECT_EQ(schema.children[i]->flags, ARROW_FLAG_NULLABLE);
  }
  schema.release(&schema);
  EXPECT_EQ(schema.release, nullptr);
}

TEST(ArrowExport, ValuesAndNulls) {
  ArrowArray batch = test::make_batch(kColumns, {some_row(), null_row(), some_row()});
  ASSERT_EQ(batch.length, 3);
  ASSERT_EQ(batch.n_children, 7);
  for (int64_t i = 0; i < 7; i++) {
    const ArrowArray& child = *batch.children[i];
    EXPECT_EQ(child.length, 3);
    EXPECT_EQ(child.null_count, 1);
    EXPECT_EQ(static_cast<const uint8_t*>(child.buffers[0])[0] & 7, 5);
  }
  EXPECT_EQ(static_cast<const uint8_t*>(batch.children[0]->buffers[1])[0] & 7, 5);
  EXPECT_EQ(value_at<int8_t>(*batch.children[1], 2), -3);
  EXPECT_TRUE(value_at<Int128>(*batch.children[2], 0) == kInt128Max);
  EXPECT_TRUE(value_at<Int128>(*batch.children[3], 2) == -12345);
  EXPECT_EQ(value_at<double>(*batch.children[4], 2), 0.5);
  EXPECT_EQ(value_at<int32_t>(*batch.children[5], 3), 10);
  EXPECT_EQ(std::string(static_cast<const char*>(batch.children[5]->buffers[2]), 10), "ÆrøÆrø");
  EXPECT_EQ(value_at<int32_t>(*batch.children[6], 0), 9862);
  batch.release(&batch);
}

TEST(ArrowExport, NoNullsNoValidity) {
  ArrowArray batch = test::make_batch(kColumns, {some_row()});
  for (int64_t i = 0; i < 7; i++) {
    EXPECT_EQ(batch.children[i]->null_count, 0);
    EXPECT_EQ(batch.children[i]->buffers[0], nullptr);
  }
  batch.release(&batch);
}

TEST(ArrowExport, BuilderIsEmptyAfterExport) {
  BatchBuilder builder(kColumns);
  ArrowArray first;
  ArrowArray second;
  ASSERT_EQ(*builder.append_rows(test::make_table(kColumns, {some_row()}), 0), 1U);
  builder.export_batch(&first);
  EXPECT_EQ(builder.rows(), 0U);
  ASSERT_EQ(*builder.append_rows(test::make_table(kColumns, {null_row()}), 0), 1U);
  builder.export_batch(&second);
  EXPECT_EQ(second.length, 1);
  EXPECT_EQ(second.children[5]->null_count, 1);
  EXPECT_EQ(value_at<int32_t>(*second.children[5], 1), 0);
  first.release(&first);
  second.release(&second);
}

TEST(ArrowExport, SeveralTablesInOneBatch) {
  // Nine rows by threes: bits of one table begin inside the bytes of another.
  BatchBuilder builder(kColumns);
  const auto table = test::make_table(kColumns, {some_row(), null_row(), some_row()});
  for (int i = 0; i < 3; i++) ASSERT_EQ(*builder.append_rows(table, 0), 3U);
  ArrowArray batch;
  builder.export_batch(&batch);
  ASSERT_EQ(batch.length, 9);
  const auto* validity = static_cast<const uint8_t*>(batch.children[1]->buffers[0]);
  EXPECT_EQ(validity[0], 0b01101101);
  EXPECT_EQ(validity[1] & 1, 1);
  EXPECT_EQ(batch.children[1]->null_count, 3);
  EXPECT_EQ(value_at<int8_t>(*batch.children[1], 8), -3);
  EXPECT_EQ(value_at<int32_t>(*batch.children[5], 9), 30);
  batch.release(&batch);
}

TEST(ArrowExport, ChildrenMayBeMovedAway) {
  ArrowArray batch = test::make_batch(kColumns, {some_row()});
  ArrowArray taken = *batch.children[5];
  batch.children[5]->release = nullptr;
  batch.release(&batch);
  EXPECT_EQ(std::string(static_cast<const char*>(taken.buffers[2]), 5), "Ærø");
  taken.release(&taken);
}

TEST(ArrowExport, FullByRowsAndByText) {
  const std::vector<op::OutputColumn> columns{{"t", Type::of(TypeKind::varchar)}};
  BatchBuilder by_rows(columns);
  const std::vector<std::vector<Datum>> empty(kBatchRows + 5, {Datum::of_text("")});
  const auto many = test::make_table(columns, empty);
  ASSERT_EQ(*by_rows.append_rows(many, 0), kBatchRows);
  EXPECT_TRUE(by_rows.full());
  ArrowArray batch;
  by_rows.export_batch(&batch);
  batch.release(&batch);
  ASSERT_EQ(*by_rows.append_rows(many, kBatchRows), kBatchRows + 5);
  EXPECT_FALSE(by_rows.full());

  BatchBuilder by_text(columns);
  const std::string large(kBatchTextBytes / 2 + 1, 'x');
  const auto wide =
      test::make_table(columns, std::vector<std::vector<Datum>>(4, {Datum::of_text(large)}));
  ASSERT_EQ(*by_text.append_rows(wide, 0), 2U);
  EXPECT_TRUE(by_text.full());
}

TEST(ArrowExport, TextMustBeUtf8) {
  const std::vector<op::OutputColumn> columns{{"t", Type::of(TypeKind::varchar)}};
  for (const char* good : {"", "plain", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                           "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    BatchBuilder builder(columns);
    EXPECT_TRUE(builder.append_rows(test::make_table(columns, {{Datum::of_text(good)}}), 0).ok());
  }
  for (const char* bad : {"\xE9t\xE9", "12345678\xFF", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF0\x9F\x98", "\x80"}) {
    BatchBuilder builder(columns);
    const auto taken = builder.append_rows(test::make_table(columns, {{Datum::of_text(bad)}}), 0);
    ASSERT_FALSE(taken.ok()) << bad;
    EXPECT_EQ(taken.error().kind, ErrorKind::data);
  }
}

}  // namespace
}  // namespace grapnel::engine
