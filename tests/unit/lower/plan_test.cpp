// What can be lowered where, in words; what makes two queries share a compiled object.
#include "lower/plan.h"

#include "lower_fixture.h"

namespace grapnel::lower_test {
namespace {

using lower::Target;
using op::Type;
using op::TypeKind;

const TableOptions kTable = {source::Format::csv,
                             ',',
                             '"',
                             {{"n", Type::of(TypeKind::bigint)},
                              {"a", Type::decimal(15, 2)},
                              {"d", Type::of(TypeKind::date)},
                              {"v", Type::of(TypeKind::varchar)},
                              {"r", Type::of(TypeKind::real)},
                              {"b", Type::of(TypeKind::boolean)}}};

class PlanTest : public testing::Test {
 protected:
  std::shared_ptr<const program::Job> job(const std::string& sql,
                                          const TableOptions& table = kTable) {
    auto made = make_job(
        open_table(directory_.write("table.csv", "1,2,2000-01-01,x,1.5,true\n"), table), sql);
    EXPECT_TRUE(made.ok()) << sql << ": " << made.error().to_string();
    return *made;
  }
  std::string refusal(const std::string& sql, Target target) {
    return lower::why_not_lowerable(*job(sql), target);
  }
  lower::Plan plan(const std::string& sql, Target target = Target::native) {
    auto made = lower::make_plan(*job(sql), target);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *std::move(made);
  }
  Directory directory_;
};

TEST_F(PlanTest, WhatBpfCannotDoIsSaidInWords) {
  const auto expect = [&](const std::string& sql, const std::string& part) {
    const std::string reason = refusal(sql, Target::bpf);
    EXPECT_NE(reason.find(part), std::string::npos) << sql << ": '" << reason << "'";
    EXPECT_EQ(refusal(sql, Target::native), "") << sql;
  };
  expect("SELECT sum(r) FROM 'table.csv'", "floating point, which BPF has not");
  expect("SELECT count(*) FROM 'table.csv' WHERE r > 1", "floating point, which BPF has not");
  expect("SELECT r, count(*) FROM 'table.csv' GROUP BY r", "floating point, which BPF has not");
  expect("SELECT count(*) FROM 'table.csv' WHERE CAST(n AS DOUBLE) > 1.5e0", "floating point");
  expect("SELECT min(v) FROM 'table.csv'", "min over VARCHAR");
  expect("SELECT count(*) FROM 'table.csv' WHERE v LIKE '%x%y'", "'%text%'");
  expect("SELECT count(*) FROM 'table.csv' WHERE v LIKE 'x_'", "'text%'");
  expect("SELECT count(*) FROM 'table.csv' WHERE v < 'x'", "comparing text");
  expect("SELECT count(*) FROM 'table.csv' WHERE v = '123456789012345678901234567890123'",
         "too long for BPF");
}

TEST_F(PlanTest, WhatBpfCanDo) {
  for (const char* sql :
       {"SELECT count(*), sum(n), sum(a * n), min(d), max(a) FROM 'table.csv' WHERE d < DATE "
        "'2000-01-01'",
        "SELECT v, b, d, sum(a) FROM 'table.csv' WHERE v = 'x' AND v LIKE 'x%' GROUP BY v, b, d",
        "SELECT count(*) FROM 'table.csv' WHERE v LIKE '%x%' OR v LIKE '%y' OR v LIKE 'z'",
        "SELECT * FROM 'table.csv' WHERE n // 7 = 3 OR n % 7 = 1 AND NOT b"})
    EXPECT_EQ(refusal(sql, Target::bpf), "") << sql;
}

TEST_F(PlanTest, WhatIsLeftToTheInterpreterIsSaidInWords) {
  EXPECT_NE(refusal("SELECT count(*) FROM 'table.csv' WHERE r % 2.0 = 1.0", Target::native)
                .find("% of DOUBLE"),
            std::string::npos);
  std::string many = "SELECT count(*) FROM 'table.csv' WHERE n IN (0";
  for (int i = 1; i <= GR_MAX_PARAMETERS; i++) many += ", " + std::to_string(i);
  EXPECT_NE(refusal(many + ")", Target::native).find("256 constants"), std::string::npos);
  const std::string text(GR_TEXT_PARAMETER_BYTES + 1, 'x');
  EXPECT_NE(refusal("SELECT count(*) FROM 'table.csv' WHERE v = '" + text + "'", Target::native)
                .find("4096 bytes"),
            std::string::npos);
}

TEST_F(PlanTest, ConstantsDoNotShapeTheCode) {
  const std::string sql =
      "SELECT sum(a) FROM 'table.csv' WHERE d < DATE '1995-01-01' AND v = 'abc' AND n < 5";
  const std::string other =
      "SELECT sum(a) FROM 'table.csv' WHERE d < DATE '1998-07-31' AND v = 'x' AND n < 77";
  EXPECT_EQ(plan(sql).encode(), plan(other).encode());
  const auto block = plan(sql).parameter_block(), other_block = plan(other).parameter_block();
  EXPECT_NE(memcmp(&block, &other_block, sizeof block), 0);
}

TEST_F(PlanTest, WhatShapesTheCodeShows) {
  const std::vector<std::string> queries = {"SELECT sum(a) FROM 'table.csv' WHERE n < 5",
                                            "SELECT sum(a) FROM 'table.csv' WHERE n <= 5",
                                            "SELECT sum(a) FROM 'table.csv' WHERE a < 5",
                                            "SELECT max(a) FROM 'table.csv' WHERE n < 5",
                                            "SELECT min(a) FROM 'table.csv' WHERE n < 5",
                                            "SELECT sum(a), count(v) FROM 'table.csv' WHERE n < 5",
                                            "SELECT sum(a) FROM 'table.csv' WHERE n < 5 GROUP BY v",
                                            "SELECT a FROM 'table.csv' WHERE n < 5",
                                            "SELECT sum(a) FROM 'table.csv' WHERE n < NULL"};
  std::vector<std::string> codes;
  for (const auto& sql : queries) codes.push_back(plan(sql).encode());
  TableOptions other_table = kTable;
  other_table.delimiter = '|';
  auto other = lower::make_plan(*job(queries[0], other_table), Target::native);
  codes.push_back(other->encode());
  codes.push_back(plan(queries[0], Target::bpf).encode());
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(std::unique(codes.begin(), codes.end()), codes.end());
}

TEST_F(PlanTest, DecodesWhatItEncodes) {
  const lower::Plan original = plan(
      "SELECT v, sum(a * n), min(r), max(v) FROM 'table.csv' WHERE d < DATE '1995-01-01' AND v "
      "LIKE '%x%' "
      "AND r > 1.5 GROUP BY v");
  const std::string bytes = original.encode();
  auto decoded = lower::Plan::decode(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->encode(), bytes);
  for (size_t size = 0; size < bytes.size(); size += 3)
    EXPECT_FALSE(lower::Plan::decode(std::string_view(bytes).substr(0, size)).ok());
  EXPECT_FALSE(lower::Plan::decode(bytes + "x").ok());
}

TEST_F(PlanTest, RangesAreTriedTogetherAndTextLast) {
  const lower::Plan made = plan(
      "SELECT sum(a) FROM 'table.csv' WHERE v LIKE '%x%' AND d >= DATE '1994-01-01' AND n < 3 AND "
      "d < DATE '1995-01-01' AND a > 2");
  ASSERT_EQ(made.filter_stages.size(), 3u);
  EXPECT_EQ(made.filter_stages[0].size(), 2u) << "both bounds of the date";
  EXPECT_EQ(made.filter_stages[1].size(), 2u) << "the other numbers";
  EXPECT_EQ(made.filter_stages[2].size(), 1u) << "the text search";
}

TEST_F(PlanTest, EqualExpressionsAreComputedOnce) {
  const size_t once = plan("SELECT sum(a * n) FROM 'table.csv' WHERE a > 1").nodes.size();
  const size_t twice =
      plan("SELECT sum(a * n), count(a * n), max(a * n) FROM 'table.csv' WHERE a > 1").nodes.size();
  EXPECT_EQ(once, twice);
}

}  // namespace
}  // namespace grapnel::lower_test
