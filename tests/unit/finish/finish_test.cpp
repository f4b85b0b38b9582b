#include "finish/finish.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "finish/top_rows.h"

namespace grapnel::finish {
namespace {

using op::AggregateKind;
using op::Datum;
using op::ExprPtr;
using op::Function;
using op::Type;
using op::TypeKind;

constexpr Type kBoolean = Type::of(TypeKind::boolean);
constexpr Type kInteger = Type::of(TypeKind::integer);
constexpr Type kBigint = Type::of(TypeKind::bigint);
constexpr Type kHugeint = Type::of(TypeKind::hugeint);
constexpr Type kVarchar = Type::of(TypeKind::varchar);
constexpr Type kDouble = Type::of(TypeKind::real);

ExprPtr integer(int64_t value, Type type) {
  return op::make_constant(Datum::of_integer(value), type);
}

/// All rows as "a|b", one string per row.
std::vector<std::string> rows_of(const FinishedTable& table) {
  std::vector<std::string> rows;
  for (size_t row = 0; row < table.row_count; row++) {
    std::string text;
    for (size_t column = 0; column < table.columns.size(); column++) {
      if (column > 0) text += '|';
      const Datum value = table.value(row, column);
      text += value.is_null ? "NULL" : op::to_text(value, table.schema[column].type);
    }
    rows.push_back(std::move(text));
  }
  return rows;
}

using Rows = std::vector<std::string>;

/// SELECT name, number over records (number INTEGER, name VARCHAR).
struct RowQuery {
  op::Query query;

  RowQuery() {
    query.op.outputs = {op::make_column(0, kInteger), op::make_column(1, kVarchar)};
    query.finish.outputs = {result(1), result(0)};
    query.schema = {{"name", kVarchar}, {"number", kInteger}};
  }
  static ExprPtr result(uint32_t index) {
    return op::make_result(index, index == 0 ? kInteger : kVarchar);
  }
  void order_by(ExprPtr expression, bool descending = false, bool nulls_first = false) {
    query.finish.order_by.push_back({std::move(expression), descending, nulls_first});
  }
  /// A negative number stands for NULL.
  Rows run(const std::vector<std::pair<int, const char*>>& records) const {
    auto op = std::make_shared<op::Op>(query.op);
    auto layout = std::make_shared<state::StateLayout>(state::StateLayout::of(*op));
    state::Partial partial(op, layout, 100);
    uint64_t offset = 0;
    for (const auto& [number, name] : records) {
      const Datum values[] = {number < 0 ? Datum::null() : Datum::of_integer(number),
                              Datum::of_text(name)};
      partial.rows.append(offset++, values, op->outputs);
    }
    auto table = finish(query, std::move(partial));
    return table ? rows_of(*table) : Rows{"error: " + table.error().message};
  }
};

TEST(FinishRows, KeepTheOrderOfTheFile) {
  const RowQuery query;
  EXPECT_EQ(query.run({{3, "c"}, {1, "a"}, {2, "b"}}), (Rows{"c|3", "a|1", "b|2"}));
  EXPECT_EQ(query.run({}), Rows{});
}

TEST(FinishRows, LimitAndOffset) {
  RowQuery query;
  query.query.finish.limit = 2;
  query.query.finish.offset = 1;
  EXPECT_EQ(query.run({{3, "c"}, {1, "a"}, {2, "b"}, {4, "d"}}), (Rows{"a|1", "b|2"}));
  query.query.finish.offset = 3;
  EXPECT_EQ(query.run({{3, "c"}, {1, "a"}, {2, "b"}, {4, "d"}}), (Rows{"d|4"}));
  query.query.finish.offset = UINT64_MAX;
  query.query.finish.limit = UINT64_MAX;
  EXPECT_EQ(query.run({{3, "c"}}), Rows{});
  query.query.finish.offset = 0;
  query.query.finish.limit = 0;
  EXPECT_EQ(query.run({{3, "c"}}), Rows{});
}

TEST(FinishRows, OrderByPutsNullsWhereTheBinderSaid) {
  const std::vector<std::pair<int, const char*>> records = {{2, "b"}, {-1, "n"}, {1, "a"}};
  RowQuery last;
  last.order_by(RowQuery::result(0));
  EXPECT_EQ(last.run(records), (Rows{"a|1", "b|2", "n|NULL"}));
  RowQuery first;
  first.order_by(RowQuery::result(0), true, true);
  EXPECT_EQ(first.run(records), (Rows{"n|NULL", "b|2", "a|1"}));
}

TEST(FinishRows, TiesStayInFileOrder) {
  RowQuery query;
  query.order_by(RowQuery::result(0), true);
  EXPECT_EQ(query.run({{1, "x"}, {2, "y"}, {1, "a"}, {2, "b"}}),
            (Rows{"y|2", "b|2", "x|1", "a|1"}));
  query.query.finish.limit = 3;
  EXPECT_EQ(query.run({{1, "x"}, {2, "y"}, {1, "a"}, {2, "b"}}), (Rows{"y|2", "b|2", "x|1"}));
}

TEST(FinishRows, OrderByExpressionAndSecondKey) {
  RowQuery query;
  query.order_by(
      op::make_call(Function::modulo, kInteger, {RowQuery::result(0), integer(2, kInteger)}));
  query.order_by(RowQuery::result(1));
  EXPECT_EQ(query.run({{1, "z"}, {2, "y"}, {3, "a"}, {4, "b"}}),
            (Rows{"b|4", "y|2", "a|3", "z|1"}));
}

TEST(FinishRows, AColumnThatIsUsedTwiceIsNotMovedAway) {
  RowQuery query;
  query.query.finish.outputs = {RowQuery::result(1), RowQuery::result(1)};
  query.query.schema = {{"a", kVarchar}, {"b", kVarchar}};
  EXPECT_EQ(query.run({{1, "a text that needs memory of its own"}}),
            Rows{"a text that needs memory of its own|a text that needs memory of its own"});
}

TEST(FinishRows, SortedLimitAgreesWithFullSort) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::pair<int, const char*>> records;
  for (int i = 0; i < 500; i++) records.emplace_back(static_cast<int>(random() % 20), "x");
  RowQuery query;
  query.order_by(RowQuery::result(0), true);
  const Rows all = query.run(records);
  query.query.finish.offset = 100;
  query.query.finish.limit = 50;
  EXPECT_EQ(query.run(records), Rows(all.begin() + 100, all.begin() + 150));
}

TEST(TopRows, KeepWhatTheAnswerNeeds) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  RowQuery query;
  query.order_by(RowQuery::result(0), true, true);
  query.order_by(RowQuery::result(1));
  query.query.finish.offset = 3;
  EXPECT_FALSE(TopRows::applies_to(query.query));
  query.query.finish.limit = 500;
  ASSERT_TRUE(TopRows::applies_to(query.query));

  auto op = std::make_shared<op::Op>(query.query.op);
  auto layout = std::make_shared<state::StateLayout>(state::StateLayout::of(*op));
  state::Partial all(op, layout, 100);
  TopRows top(query.query);
  for (uint64_t offset = 0; offset < 200'000;) {
    state::RowBatch batch;
    for (size_t i = random() % 5000; i > 0; i--) {
      const auto number = static_cast<int64_t>(random() % 10'000);
      const std::string name(random() % 30, 'x');
      const Datum values[] = {number == 0 ? Datum::null() : Datum::of_integer(number),
                              Datum::of_text(name)};
      batch.append(offset, values, op->outputs);
      all.rows.append(offset++, values, op->outputs);
    }
    ASSERT_TRUE(top.add(std::move(batch)).ok());
  }
  state::Partial kept(op, layout, 100);
  kept.rows = top.take();
  EXPECT_LT(kept.rows.size(), 25'000U);
  EXPECT_TRUE(std::is_sorted(kept.rows.file_offsets.begin(), kept.rows.file_offsets.end()));
  size_t text_bytes = 0;
  for (const std::string& text : kept.rows.columns[1].texts) text_bytes += text.size();
  EXPECT_EQ(kept.rows.text_bytes, text_bytes);
  const auto expected = finish(query.query, std::move(all));
  const auto found = finish(query.query, std::move(kept));
  ASSERT_TRUE(expected.ok() && found.ok());
  EXPECT_EQ(found->row_count, 500U);
  EXPECT_EQ(rows_of(*found), rows_of(*expected));
}

/// SELECT key, count(*), sum(number), avg(number) ... GROUP BY key.
struct GroupQuery {
  op::Query query;

  explicit GroupQuery(bool with_key = true) {
    query.op.aggregating = true;
    if (with_key) query.op.keys = {op::make_column(1, kVarchar)};
    const ExprPtr number = op::make_column(0, kInteger);
    query.op.aggregates = {{AggregateKind::count_rows, nullptr, kBigint},
                           {AggregateKind::sum, number, kHugeint},
                           {AggregateKind::count, number, kBigint}};
    const uint32_t first = with_key ? 1 : 0;
    if (with_key) query.finish.outputs.push_back(op::make_result(0, kVarchar));
    const ExprPtr sum = op::make_result(first + 1, kHugeint);
    const ExprPtr count = op::make_result(first + 2, kBigint);
    query.finish.outputs.push_back(op::make_result(first, kBigint));
    query.finish.outputs.push_back(sum);
    query.finish.outputs.push_back(op::make_call(Function::average, kDouble, {sum, count}));
    if (with_key) query.schema.push_back({"key", kVarchar});
    query.schema.insert(query.schema.end(),
                        {{"count", kBigint}, {"sum", kHugeint}, {"avg", kDouble}});
  }
  Rows run(const std::vector<std::pair<int, const char*>>& records) const {
    auto op = std::make_shared<op::Op>(query.op);
    auto layout = std::make_shared<state::StateLayout>(state::StateLayout::of(*op));
    state::Partial partial(op, layout, 100);
    // From the last record to the first: the order of insertion must not matter.
    for (size_t i = records.size(); i-- > 0;) {
      const auto& [number, name] = records[i];
      std::string key;
      if (!op->keys.empty()) state::encode_key(key, Datum::of_text(name), kVarchar);
      uint64_t* slots = partial.groups.find_or_insert(key);
      state::Partial::touch(slots, i);
      const Datum value = number < 0 ? Datum::null() : Datum::of_integer(number);
      partial.update(slots, 1, value);
      partial.update(slots, 2, value);
    }
    auto table = finish(query, std::move(partial));
    return table ? rows_of(*table) : Rows{"error: " + table.error().message};
  }
};

TEST(FinishGroups, ComeInOrderOfFirstAppearance) {
  const GroupQuery query;
  EXPECT_EQ(query.run({{1, "z"}, {2, "a"}, {-1, "m"}, {4, "z"}}),
            (Rows{"z|2|5|2.5", "a|1|2|2.0", "m|1|NULL|NULL"}));
  EXPECT_EQ(query.run({}), Rows{});
}

TEST(FinishGroups, WithoutKeysThereIsAlwaysOneRow) {
  const GroupQuery query(false);
  EXPECT_EQ(query.run({}), Rows{"0|NULL|NULL"});
  EXPECT_EQ(query.run({{1, ""}, {2, ""}}), Rows{"2|3|1.5"});
}

TEST(FinishGroups, HavingAndOrderAndLimit) {
  GroupQuery query;
  query.query.finish.having = op::make_call(Function::greater, kBoolean,
                                            {op::make_result(2, kHugeint), integer(2, kHugeint)});
  // NULL > 2 is not true: the group m goes.
  EXPECT_EQ(query.run({{1, "z"}, {2, "a"}, {-1, "m"}, {4, "z"}, {9, "k"}}),
            (Rows{"z|2|5|2.5", "k|1|9|9.0"}));
  query.query.finish.order_by = {{op::make_result(0, kVarchar), false, false}};
  EXPECT_EQ(query.run({{1, "z"}, {2, "a"}, {-1, "m"}, {4, "z"}, {9, "k"}}),
            (Rows{"k|1|9|9.0", "z|2|5|2.5"}));
  query.query.finish.limit = 1;
  EXPECT_EQ(query.run({{1, "z"}, {2, "a"}, {-1, "m"}, {4, "z"}, {9, "k"}}), Rows{"k|1|9|9.0"});
}

TEST(FinishGroups, ErrorsInOutputsAreReported) {
  GroupQuery query;
  query.query.finish.outputs[1] = op::make_call(Function::integer_divide, kBigint,
                                                {op::make_result(1, kBigint), integer(0, kBigint)});
  EXPECT_EQ(query.run({{1, "z"}}), Rows{"error: division by zero (1 // 0)"});
}

}  // namespace
}  // namespace grapnel::finish
