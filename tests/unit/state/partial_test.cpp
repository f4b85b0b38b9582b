#include "state/partial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "state/double_sum.h"

namespace grapnel::state {
namespace {

using op::AggregateKind;
using op::Datum;
using op::Type;
using op::TypeKind;

constexpr Type kBigint = Type::of(TypeKind::bigint);
constexpr Type kHugeint = Type::of(TypeKind::hugeint);
constexpr Type kDouble = Type::of(TypeKind::real);
constexpr Type kVarchar = Type::of(TypeKind::varchar);

Type finished_type(AggregateKind kind, Type argument) {
  if (kind == AggregateKind::count) return kBigint;
  if (kind != AggregateKind::sum) return argument;
  if (argument.kind == TypeKind::real) return kDouble;
  return argument.kind == TypeKind::decimal ? Type::decimal(38, argument.scale) : kHugeint;
}

/// count(*), then the aggregates of column 0 that are asked for.
struct Fixture {
  std::shared_ptr<op::Op> op = std::make_shared<op::Op>();
  std::shared_ptr<StateLayout> layout = std::make_shared<StateLayout>();

  Fixture(Type argument, const std::vector<AggregateKind>& kinds) {
    op->aggregating = true;
    op->aggregates.push_back({AggregateKind::count_rows, nullptr, kBigint});
    for (AggregateKind kind : kinds)
      op->aggregates.push_back({kind, op::make_column(0, argument), finished_type(kind, argument)});
    *layout = StateLayout::of(*op);
  }

  [[nodiscard]] Partial partial() const { return {op, layout, 1000}; }

  void add(Partial& partial, const Datum& value, uint64_t offset = 0,
           std::string_view key = {}) const {
    uint64_t* slots = partial.groups.find_or_insert(key);
    Partial::touch(slots, offset);
    for (size_t i = 1; i < op->aggregates.size(); i++) partial.update(slots, i, value);
  }

  /// Finished values of the group with `key`, as text.
  [[nodiscard]] std::vector<std::string> finished(Partial& partial,
                                                  std::string_view key = {}) const {
    std::vector<std::string> texts;
    const uint64_t* slots = partial.groups.find_or_insert(key);
    for (size_t i = 0; i < op->aggregates.size(); i++) {
      const auto value = partial.finish(slots, i);
      if (!value) {
        texts.push_back("error: " + value.error().message);
      } else {
        texts.push_back(value->is_null ? "NULL" : op::to_text(*value, op->aggregates[i].type));
      }
    }
    return texts;
  }
};

const std::vector<AggregateKind> kAll = {AggregateKind::count, AggregateKind::sum,
                                         AggregateKind::min, AggregateKind::max};
using Texts = std::vector<std::string>;

TEST(StateLayout, SlotsFollowTheTypes) {
  op::Op op;
  const auto add = [&op](AggregateKind kind, Type type) {
    op.aggregates.push_back({kind, op::make_column(0, type), finished_type(kind, type)});
  };
  op.aggregates.push_back({AggregateKind::count_rows, nullptr, kBigint});
  add(AggregateKind::count, kVarchar);
  add(AggregateKind::sum, Type::decimal(15, 2));
  add(AggregateKind::sum, Type::decimal(30, 2));
  add(AggregateKind::sum, kDouble);
  add(AggregateKind::min, kBigint);
  add(AggregateKind::max, Type::of(TypeKind::ubigint));
  add(AggregateKind::max, kVarchar);
  const StateLayout layout = StateLayout::of(op);
  ASSERT_EQ(layout.aggregates.size(), 8U);
  EXPECT_EQ(layout.aggregates[0].slot_count, 0U);
  EXPECT_EQ(layout.aggregates[1].first_slot, 2U);
  EXPECT_EQ(layout.aggregates[2].kind, SlotKind::sum_exact);
  EXPECT_EQ(layout.aggregates[2].first_slot, 3U);
  EXPECT_EQ(layout.aggregates[3].kind, SlotKind::sum_wide);
  EXPECT_EQ(layout.aggregates[4].slot_count, 1 + kDoubleSumWords);
  EXPECT_EQ(layout.aggregates[5].kind, SlotKind::extreme_int64);
  EXPECT_EQ(layout.aggregates[6].kind, SlotKind::extreme_int128);
  EXPECT_TRUE(layout.aggregates[6].is_max);
  EXPECT_EQ(layout.slot_count, layout.aggregates[7].first_slot + layout.aggregates[7].slot_count);
}

TEST(Partial, IntegersAndNulls) {
  const Fixture fixture(kBigint, kAll);
  Partial partial = fixture.partial();
  EXPECT_EQ(fixture.finished(partial), (Texts{"0", "0", "NULL", "NULL", "NULL"}));
  fixture.add(partial, Datum::null());
  EXPECT_EQ(fixture.finished(partial), (Texts{"1", "0", "NULL", "NULL", "NULL"}));
  fixture.add(partial, Datum::of_integer(INT64_MAX));
  fixture.add(partial, Datum::of_integer(INT64_MAX));
  fixture.add(partial, Datum::of_integer(-7));
  EXPECT_EQ(fixture.finished(partial),
            (Texts{"4", "3", "18446744073709551607", "-7", "9223372036854775807"}));
}

TEST(Partial, SumsOfWideValuesDependOnTheTotalOnly) {
  const Fixture fixture(kHugeint, {AggregateKind::sum});
  Partial a = fixture.partial();
  fixture.add(a, Datum::of_integer(kInt128Max));
  fixture.add(a, Datum::of_integer(kInt128Max));
  EXPECT_EQ(fixture.finished(a)[1], "error: out of range: a sum does not fit HUGEINT");
  Partial b = fixture.partial();
  fixture.add(b, Datum::of_integer(-kInt128Max));
  fixture.add(b, Datum::of_integer(-5));
  ASSERT_TRUE(a.merge(std::move(b)).ok());
  EXPECT_EQ(fixture.finished(a)[1], op::to_text(Datum::of_integer(kInt128Max - 5), kHugeint));
}

TEST(Partial, DecimalSumsBeyond38DigitsAreErrors) {
  const Type widest = Type::decimal(38, 0);
  const Fixture fixture(widest, {AggregateKind::sum});
  Partial partial = fixture.partial();
  fixture.add(partial, Datum::of_integer(power_of_ten(38) - 1));
  EXPECT_EQ(fixture.finished(partial)[1], std::string(38, '9'));
  fixture.add(partial, Datum::of_integer(1));
  EXPECT_EQ(fixture.finished(partial)[1], "error: out of range: a sum does not fit DECIMAL(38,0)");
}

TEST(Partial, ExtremesOfDoubles) {
  const Fixture fixture(kDouble, {AggregateKind::min, AggregateKind::max});
  Partial partial = fixture.partial();
  fixture.add(partial, Datum::of_real(-std::nan("")));
  EXPECT_EQ(fixture.finished(partial), (Texts{"1", "nan", "nan"}));
  fixture.add(partial, Datum::of_real(2));
  EXPECT_EQ(fixture.finished(partial), (Texts{"2", "2.0", "nan"}));
  for (const std::vector<double>& zeros : {std::vector{0.0, -0.0}, std::vector{-0.0, 0.0}}) {
    Partial both = fixture.partial();
    for (double zero : zeros) fixture.add(both, Datum::of_real(zero));
    EXPECT_EQ(fixture.finished(both), (Texts{"2", "-0.0", "0.0"}));
  }
}

TEST(Partial, ExtremesOfText) {
  const Fixture fixture(kVarchar, {AggregateKind::count, AggregateKind::min, AggregateKind::max});
  Partial a = fixture.partial();
  fixture.add(a, Datum::of_text("m"));
  fixture.add(a, Datum::of_text(""));
  Partial b = fixture.partial();
  fixture.add(b, Datum::null());
  fixture.add(b, Datum::of_text("\xC3\xA9"));
  ASSERT_TRUE(a.merge(std::move(b)).ok());
  EXPECT_EQ(fixture.finished(a), (Texts{"4", "3", "", "\xC3\xA9"}));
}

TEST(Partial, MergeIsIndependentOfTheCut) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const Type type : {kBigint, kHugeint, kDouble, Type::decimal(38, 3)}) {
    const Fixture fixture(type, kAll);
    Partial whole = fixture.partial();
    std::vector<Partial> parts;
    for (int i = 0; i < 5; i++) parts.push_back(fixture.partial());
    for (uint64_t offset = 0; offset < 2000; offset++) {
      Datum value;
      if (random() % 10 != 0) {
        const auto number = static_cast<int64_t>(random());
        value = type == kDouble ? Datum::of_real(static_cast<double>(number) * 1e-3)
                                : Datum::of_integer(Int128{number} * 1000);
        if (type == kBigint) value.integer = number;
      }
      const std::string key(1, static_cast<char>('a' + random() % 20));
      fixture.add(whole, value, offset, key);
      fixture.add(parts[random() % parts.size()], value, offset, key);
    }
    Partial merged = fixture.partial();
    for (Partial& part : parts) {
      ASSERT_TRUE(merged.merge(std::move(part)).ok());
      EXPECT_TRUE(part.empty());  // NOLINT(bugprone-use-after-move): that is what merge() promises
    }
    ASSERT_EQ(merged.groups.size(), whole.groups.size());
    for (size_t group = 0; group < whole.groups.size(); group++) {
      const std::string key(whole.groups.key(group));
      EXPECT_EQ(fixture.finished(merged, key), fixture.finished(whole, key));
      EXPECT_EQ(merged.groups.find_or_insert(key)[kFirstOffsetSlot],
                whole.groups.slots(group)[kFirstOffsetSlot]);
    }
  }
}

TEST(Partial, MergeReportsTheLimitOfGroups) {
  const Fixture fixture(kBigint, kAll);
  Partial a(fixture.op, fixture.layout, 2);
  Partial b(fixture.op, fixture.layout, 2);
  fixture.add(a, Datum::of_integer(1), 0, "a");
  fixture.add(b, Datum::of_integer(1), 1, "b");
  fixture.add(b, Datum::of_integer(1), 2, "c");
  const Status status = a.merge(std::move(b));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::limit);
}

TEST(RowBatch, SortsAppendsAndTruncates) {
  const std::vector<op::ExprPtr> outputs = {
      op::make_column(0, kBigint), op::make_column(1, kVarchar), op::make_column(2, kDouble)};
  const auto row = [](int64_t number) {
    static const std::string text(40, 'x');
    return std::vector<Datum>{Datum::of_integer(number), Datum::of_text(text), Datum::null()};
  };
  RowBatch late;
  late.append(30, row(3), outputs);
  late.append(40, row(4), outputs);
  RowBatch early;
  early.append(10, row(1), outputs);
  RowBatch batch;
  batch.append_all(std::move(late));
  batch.append_all(std::move(early));
  EXPECT_EQ(early.size(), 0U);  // NOLINT(bugprone-use-after-move): that is what it promises
  batch.sort_by_offset();
  EXPECT_EQ(batch.file_offsets, (std::vector<uint64_t>{10, 30, 40}));
  EXPECT_TRUE(batch.value(0, 0, kBigint).integer == 1);
  EXPECT_TRUE(batch.value(2, 0, kBigint).integer == 4);
  EXPECT_EQ(batch.value(2, 1, kVarchar).text, std::string(40, 'x'));
  EXPECT_TRUE(batch.value(1, 2, kDouble).is_null);
  EXPECT_EQ(batch.text_bytes, 120U);
  batch.truncate(1);
  EXPECT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch.text_bytes, 40U);
  EXPECT_EQ(batch.columns[1].texts.size(), 1U);
}

}  // namespace
}  // namespace grapnel::state
