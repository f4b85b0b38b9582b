#include <gtest/gtest.h>

#include "grapnel/grapnel.h"
#include "result_table.h"

namespace grapnel::api {
namespace {

using op::Datum;
using op::Type;
using op::TypeKind;

/// Text of one value of `type`, by way of Arrow.
std::string text_of(Type type, const Datum& value) {
  const std::vector<op::OutputColumn> columns{{"c", type}};
  ArrowSchema schema;
  engine::export_schema(columns, &schema);
  ArrowArray batch = test::make_batch(columns, {{value}});
  std::string text;
  {
    const ColumnText column(*schema.children[0], *batch.children[0]);
    EXPECT_TRUE(column.supported());
    EXPECT_EQ(column.is_number(), type.is_number());
    if (column.is_null(0)) {
      text = "(null)";
    } else {
      column.append(0, text);
    }
  }
  schema.release(&schema);
  batch.release(&batch);
  return text;
}

TEST(ColumnText, IntegersAtTheirEnds) {
  for (const auto kind : {TypeKind::tinyint, TypeKind::smallint, TypeKind::integer,
                          TypeKind::bigint, TypeKind::hugeint, TypeKind::utinyint,
                          TypeKind::usmallint, TypeKind::uinteger, TypeKind::ubigint}) {
    const Type type = Type::of(kind);
    const auto range = op::range_of(type);
    for (const Int128 value : {range.least, Int128{0}, range.greatest}) {
      EXPECT_EQ(text_of(type, Datum::of_integer(value)), grapnel::to_string(value));
    }
  }
}

TEST(ColumnText, DecimalsKeepTheirScale) {
  EXPECT_EQ(text_of(Type::decimal(15, 2), Datum::of_integer(1250)), "12.50");
  EXPECT_EQ(text_of(Type::decimal(15, 2), Datum::of_integer(-5)), "-0.05");
  EXPECT_EQ(text_of(Type::decimal(15, 0), Datum::of_integer(7)), "7");
  EXPECT_EQ(text_of(Type::decimal(18, 18), Datum::of_integer(1)), "0.000000000000000001");
  EXPECT_EQ(text_of(Type::decimal(38, 4), Datum::of_integer(1231410782283)), "123141078.2283");
  const Int128 widest = power_of_ten(38) - 1;
  EXPECT_EQ(text_of(Type::decimal(38, 10), Datum::of_integer(-widest)),
            "-9999999999999999999999999999.9999999999");
  EXPECT_EQ(text_of(Type::decimal(38, 38), Datum::of_integer(INT64_MIN)),
            grapnel::to_string(INT64_MIN, 38));
}

TEST(ColumnText, OtherTypes) {
  EXPECT_EQ(text_of(Type::of(TypeKind::boolean), Datum::of_bool(true)), "true");
  EXPECT_EQ(text_of(Type::of(TypeKind::boolean), Datum::of_bool(false)), "false");
  EXPECT_EQ(text_of(Type::of(TypeKind::real), Datum::of_real(1)), "1.0");
  EXPECT_EQ(text_of(Type::of(TypeKind::real), Datum::of_real(0.1)), "0.1");
  EXPECT_EQ(text_of(Type::of(TypeKind::date), Datum::of_integer(0)), "1970-01-01");
  EXPECT_EQ(text_of(Type::of(TypeKind::varchar), Datum::of_text("a,b")), "a,b");
  for (int64_t days = -800'000; days < 3'200'000; days += 9973) {
    const Datum date = Datum::of_integer(days);
    EXPECT_EQ(text_of(Type::of(TypeKind::date), date), op::to_text(date, Type::of(TypeKind::date)));
  }
  EXPECT_EQ(text_of(Type::of(TypeKind::varchar), Datum::null()), "(null)");
}

TEST(ColumnText, ForeignTypesAreNotSupported) {
  for (const char* format : {"n", "U", "d:50,2,256", "d:", "d:3", "tss:", "+s", ""}) {
    ArrowSchema schema{};
    schema.format = format;
    ArrowArray array{};
    EXPECT_FALSE(ColumnText(schema, array).supported()) << format;
  }
}

}  // namespace
}  // namespace grapnel::api
