// Types of expressions against a table that DuckDB wrote (make_duckdb_types.py).
#include <gtest/gtest.h>

#include <fstream>

#include "sql_test_support.h"

namespace grapnel::sql {
namespace {

/// Where grapnel differs on purpose; docs/sql.md gives the reasons.
std::string wanted_difference(const std::string& expression, const std::string& duckdb) {
  if (expression == "avg(dt)") return "refused";  // there is no TIMESTAMP
  // In DuckDB // of numbers with a point is / that fails at 0.
  if (expression.find("//") != std::string::npos && duckdb == "DOUBLE") return "refused";
  return duckdb;
}

TEST(Types, AreThoseOfDuckdb) {
  std::ifstream file("tests/unit/sql/duckdb_types.tsv");
  ASSERT_TRUE(file) << "run from the project's directory";
  std::string line;
  int checked = 0;
  while (std::getline(file, line)) {
    if (line.starts_with("#")) continue;
    const size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    const std::string expression = line.substr(0, tab);
    const std::string wanted = wanted_difference(expression, line.substr(tab + 1));
    const Result<op::Query> query = bind_text("SELECT " + expression + " FROM 't.csv'");
    // Constants are computed at bind; DESCRIBE computes nothing.
    if (!query && query.error().message.starts_with("out of range: overflow in multiplication"))
      continue;
    const std::string got = query ? query->schema.at(0).type.to_string() : "refused";
    EXPECT_EQ(got, wanted) << expression << (query ? "" : ": " + query.error().message);
    if (query) {
      EXPECT_EQ(query->finish.outputs.at(0)->type, query->schema.at(0).type) << expression;
    } else {
      EXPECT_TRUE(query.error().sql_offset) << expression;
    }
    checked++;
  }
  EXPECT_GT(checked, 4000);
}

TEST(Types, OfCasts) {
  EXPECT_EQ(item_text("CAST(i AS tinyint)"), "CAST(i AS TINYINT) TINYINT");
  EXPECT_EQ(item_text("i::INT4"), "i INTEGER");
  EXPECT_EQ(item_text("i::numeric(5)"), "CAST(i AS DECIMAL(5,0)) DECIMAL(5,0)");
  EXPECT_EQ(item_text("i::decimal"), "CAST(i AS DECIMAL(18,3)) DECIMAL(18,3)");
  EXPECT_EQ(item_text("v::double precision"), "CAST(v AS DOUBLE) DOUBLE");
  EXPECT_EQ(item_text("b::Utinyint"), "CAST(b AS UTINYINT) UTINYINT");
  EXPECT_EQ(item_text("v::varchar(3)"), "v VARCHAR");
  EXPECT_EQ(item_text("NULL::date"), "NULL DATE");
  EXPECT_EQ(item_text("1.50::varchar"), "'1.50' VARCHAR");
  EXPECT_EQ(item_text("'1994-01-31'::date"), "DATE '1994-01-31' DATE");
  EXPECT_EQ(item_text("2.5::integer"), "3 INTEGER");
  EXPECT_EQ(item_text("dt::varchar"), "refused: there is no cast from DATE to VARCHAR");
  EXPECT_EQ(item_text("dt::integer"), "refused: there is no cast from DATE to INTEGER");
  EXPECT_EQ(item_text("i::real"), "refused: there is no 32-bit floating point type");
  EXPECT_EQ(item_text("CAST(i AS FLOAT)"), "refused: there is no 32-bit floating point type");
  EXPECT_EQ(item_text("i::float8"), "CAST(i AS DOUBLE) DOUBLE");
  EXPECT_EQ(item_text("i::timestamp"), "refused: there is no type timestamp");
  EXPECT_EQ(item_text("i::decimal(39,2)"),
            "refused: DECIMAL needs 1 to 38 digits, and no more of them after the point");
  EXPECT_EQ(item_text("300::tinyint"), "refused: out of range: INTEGER 300 does not fit TINYINT");
}

TEST(Types, OfNull) {
  EXPECT_EQ(item_text("NULL"), "NULL INTEGER");
  EXPECT_EQ(item_text("dt + NULL"), "NULL DATE");
  EXPECT_EQ(item_text("NULL * d15"), "NULL DECIMAL(18,4)");
  EXPECT_EQ(item_text("i / NULL"), "NULL DOUBLE");
  EXPECT_EQ(item_text("v LIKE NULL"), "NULL BOOLEAN");
  EXPECT_EQ(item_text("i = NULL"), "NULL BOOLEAN");
}

}  // namespace
}  // namespace grapnel::sql
