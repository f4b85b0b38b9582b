// The trees to which queries are bound.
#include <gtest/gtest.h>

#include "sql_test_support.h"

namespace grapnel::sql {
namespace {

TEST(Bind, TpchQ6) {
  EXPECT_EQ(bound_text("select sum(d15 * d9) as revenue from 't.csv' where dt >= date '1994-01-01' "
                       "and dt < date '1994-01-01' + interval '1' year and d15 between 0.06 - 0.01 "
                       "and 0.06 + 0.01 and d9 < 24;"),
            "WHERE (dt >= DATE '1994-01-01'); (dt < DATE '1995-01-01'); (d15 >= 0.05); "
            "(d15 <= 0.07); (d9 < 24.000) | AGG sum((d15 * d9)) DECIMAL(38,5) | "
            "OUT revenue DECIMAL(38,5) = result0");
}

TEST(Bind, TpchQ1) {
  EXPECT_EQ(
      bound_text("select v, b, sum(d15), sum(d15 * (1 - d15) * (1 + d15)) as charge, avg(d15), "
                 "count(*) as n from 't.csv' where dt <= date '1998-12-01' - interval '90' day "
                 "group by v, b order by v, b"),
      "WHERE (dt <= DATE '1998-09-02') | BY v; b | AGG sum(d15) DECIMAL(38,2); "
      "sum(((d15 * (1.00 - CAST(d15 AS DECIMAL(16,2)))) * (1.00 + CAST(d15 AS DECIMAL(16,2))))) "
      "DECIMAL(38,6); count(d15) BIGINT; count_rows BIGINT | OUT v VARCHAR = result0; "
      "b BOOLEAN = result1; sum(d15) DECIMAL(38,2) = result2; charge DECIMAL(38,6) = result3; "
      "avg(d15) DOUBLE = average(result2, result4); n BIGINT = result5 | ORDER result0; result1");
}

TEST(Bind, StarsAndQualifiedNames) {
  const Result<op::Query> query = bind_text("SELECT *, T.I, x.* FROM 't.csv' x");
  EXPECT_FALSE(query);  // the alias hides the file's name
  const Result<op::Query> stars = bind_text("SELECT *, X.i, x.* FROM 't.csv' X");
  ASSERT_TRUE(stars) << stars.error().message;
  EXPECT_EQ(stars->schema.size(), 2 * test_columns().size() + 1);
  EXPECT_EQ(stars->op.outputs.size(), test_columns().size()) << "each value once";
  EXPECT_EQ(bound_text("SELECT t.I FROM 'dir/t.csv'"), "ROW i | OUT i INTEGER = result0");
  EXPECT_EQ(bound_text("SELECT csv.\"mixed case\" FROM csv('x')"),
            "ROW Mixed Case | OUT Mixed Case INTEGER = result0");
}

TEST(Bind, NamesOfOutputs) {
  const auto name = [](const std::string& item) {
    const Result<op::Query> query = bind_text("SELECT " + item + " FROM 't.csv' GROUP BY ALL_");
    const Result<op::Query> row = bind_text("SELECT " + item + " FROM 't.csv'");
    EXPECT_FALSE(query);
    return row ? row->schema.at(0).name : row.error().message;
  };
  EXPECT_EQ(name("I"), "i");
  EXPECT_EQ(name("i AS Foo"), "Foo");
  EXPECT_EQ(name("i \"A \"\"b\""), "A \"b");
  EXPECT_EQ(name("i AS Name"), "Name");
  EXPECT_EQ(name("i AS select"), "select");
  EXPECT_EQ(name("count(*)"), "count_star()");
  EXPECT_EQ(name("SUM(i*2)"), "sum((i * 2))");
  EXPECT_EQ(name("max(\"Mixed Case\")"), "max(\"Mixed Case\")");
  EXPECT_EQ(name("i + 1"), "(i + 1)");
  EXPECT_EQ(name("i // 2"), "(i // 2)");
  EXPECT_EQ(name("-i"), "(-(i))");
  EXPECT_EQ(name("NOT b AND b"), "((NOT b) AND b)");
  EXPECT_EQ(name("i <> 3"), "(i != 3)");
  EXPECT_EQ(name("i BETWEEN 1 AND 2"), "(i BETWEEN 1 AND 2)");
  EXPECT_EQ(name("i NOT IN (1, 2)"), "(NOT (i IN (1, 2)))");
  EXPECT_EQ(name("v NOT LIKE 'x'"), "(v !~~ 'x')");
  EXPECT_EQ(name("i::decimal(15,2)"), "CAST(i AS DECIMAL(15, 2))");
  EXPECT_EQ(name("1.50"), "1.50");
  EXPECT_EQ(name("'it''s'"), "'it''s'");
}

TEST(Bind, VeryLongNamesSurvive) {
  const std::string name(100, 'x');
  const Result<ParsedStatement> statement = parse("SELECT " + name + "y, " + name + "Z AS \"" +
                                                  name + "\" FROM 't.csv' WHERE " + name + "y > 1");
  ASSERT_TRUE(statement) << statement.error().message;
  const op::Type type = op::Type::of(op::TypeKind::integer);
  const Result<op::Query> query = sql::bind(*statement, {{name + "y", type}, {name + "z", type}});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->schema[0].name, name + "y");
  EXPECT_EQ(query->schema[1].name, name);
  EXPECT_EQ(query->op.outputs[1]->index, 1U);
}

TEST(Bind, NamesThatDifferInCase) {
  const op::Type type = op::Type::of(op::TypeKind::integer);
  const std::vector<source::Column> columns = {{"a", type}, {"A", type}};
  const auto index = [&columns](const std::string& name) -> int {
    const Result<ParsedStatement> statement = parse("SELECT " + name + " FROM 't.csv'");
    if (!statement) return -1;
    const Result<op::Query> query = sql::bind(*statement, columns);
    return query ? static_cast<int>(query->op.outputs[0]->index) : -2;
  };
  EXPECT_EQ(index("a"), 0);
  EXPECT_EQ(index("A"), 1);
  EXPECT_EQ(index("\"A\""), 1);
}

TEST(Bind, ConstantsOfComparisons) {
  EXPECT_EQ(where_text("5 < i"), "(i > 5)");
  EXPECT_EQ(where_text("d15 > 10"), "(d15 > 10.00)");
  EXPECT_EQ(where_text("dt >= '1994-1-1'"), "(dt >= DATE '1994-01-01')");
  EXPECT_EQ(where_text("'10.25' = d15"), "(d15 = 10.25)");
  EXPECT_EQ(where_text("db > 5"), "(db > 5.0)");
  EXPECT_EQ(where_text("i + 1 < 5.0"), "((i + 1) < 5)");
  EXPECT_EQ(where_text("i < 5e0"), "(CAST(i AS DOUBLE) < 5.0)");
  EXPECT_EQ(where_text("i = bi"), "(CAST(i AS BIGINT) = bi)");
  EXPECT_EQ(where_text("uti < ti"), "(CAST(uti AS SMALLINT) < CAST(ti AS SMALLINT))");
  EXPECT_EQ(where_text("ubi = bi"), "(CAST(ubi AS HUGEINT) = CAST(bi AS HUGEINT))");
  EXPECT_EQ(where_text("d15 = d9"), "(CAST(d15 AS DECIMAL(16,3)) = CAST(d9 AS DECIMAL(16,3)))");
  EXPECT_EQ(where_text("d15 < db"), "(CAST(d15 AS DOUBLE) < db)");
  EXPECT_EQ(where_text("b = true"), "b");
  EXPECT_EQ(where_text("b <> true"), "NOT (b)");
  EXPECT_EQ(where_text("v < 'x'"), "(v < 'x')");
}

TEST(Bind, WideningCastsInFrontOfConstantsGo) {
  EXPECT_EQ(where_text("i::BIGINT < 3000000000"), "(i IS NOT NULL)");
  EXPECT_EQ(where_text("i::BIGINT::DECIMAL(30,2) < 5.5"), "(i < 6)");
  EXPECT_EQ(where_text("d15::DECIMAL(20,4) IN (1.5, 1.555)"), "(d15 = 1.50)");
  EXPECT_EQ(where_text("i::HUGEINT IN (1, 2)"), "(i IN (1, 2))");
  EXPECT_EQ(where_text("i::TINYINT < 5"), "(CAST(i AS TINYINT) < 5)");
  EXPECT_EQ(where_text("d15::DECIMAL(15,1) < 5"), "(CAST(d15 AS DECIMAL(15,1)) < 5.0)");
  EXPECT_EQ(where_text("d15::INTEGER < 5"), "(CAST(d15 AS INTEGER) < 5)");
  EXPECT_EQ(where_text("d15::DECIMAL(15,3) < 5"), "(CAST(d15 AS DECIMAL(15,3)) < 5.000)");
  EXPECT_EQ(where_text("b::INTEGER < 1"), "(CAST(b AS INTEGER) < 1)");
}

TEST(Bind, ConstantsBetweenTheValuesOfAType) {
  EXPECT_EQ(where_text("i < 3.5"), "(i < 4)");
  EXPECT_EQ(where_text("i <= 3.5"), "(i <= 3)");
  EXPECT_EQ(where_text("i > 3.5"), "(i > 3)");
  EXPECT_EQ(where_text("i >= 3.5"), "(i >= 4)");
  EXPECT_EQ(where_text("i < -3.5"), "(i < -3)");
  EXPECT_EQ(where_text("i > -3.5"), "(i > -4)");
  EXPECT_EQ(where_text("i = 3.5"), "false");
  EXPECT_EQ(where_text("i <> 3.5"), "(i IS NOT NULL)");
  EXPECT_EQ(where_text("d4 >= 0.05"), "(d4 >= 0.1)");
}

TEST(Bind, ConstantsBeyondTheRangeOfAType) {
  EXPECT_EQ(where_text("ti < 1000"), "(ti IS NOT NULL)");
  EXPECT_EQ(where_text("ti > 1000"), "false");
  EXPECT_EQ(where_text("ti = 1000"), "false");
  EXPECT_EQ(where_text("ti <> 1000"), "(ti IS NOT NULL)");
  EXPECT_EQ(where_text("uti > -1"), "(uti IS NOT NULL)");
  EXPECT_EQ(where_text("uti <= -1"), "false");
  EXPECT_EQ(where_text("ti < 127.5"), "(ti IS NOT NULL)");
  EXPECT_EQ(where_text("ti >= 127.5"), "false");
  EXPECT_EQ(where_text("ti > -128.5"), "(ti IS NOT NULL)");
  EXPECT_EQ(where_text("ti <= -128.5"), "false");
  EXPECT_EQ(where_text("ti <= 127"), "(ti <= 127)");
  EXPECT_EQ(where_text("d38 < 99999999999999999999999999999999999999"), "(d38 IS NOT NULL)");
  EXPECT_EQ(where_text("d38 = -99999999999999999999999999999999999999"), "false");
  // As a value NULL stays NULL.
  EXPECT_EQ(item_text("ti < 1000"), "((ti IS NOT NULL) OR NULL) BOOLEAN");
  EXPECT_EQ(item_text("ti > 1000"), "((ti IS NULL) AND NULL) BOOLEAN");
}

TEST(Bind, Lists) {
  EXPECT_EQ(where_text("i IN (3, 1, 2, 1)"), "(i IN (1, 2, 3))");
  EXPECT_EQ(where_text("i IN (1, 2.5, 3000000000)"), "(i = 1)");
  EXPECT_EQ(where_text("i IN (2.5)"), "false");
  EXPECT_EQ(where_text("i NOT IN (1, 2)"), "NOT ((i IN (1, 2)))");
  EXPECT_EQ(where_text("i NOT IN (1)"), "(i <> 1)");
  EXPECT_EQ(where_text("i IN (1, NULL)"), "(i = 1)");
  EXPECT_EQ(where_text("i NOT IN (1, NULL)"), "false");
  EXPECT_EQ(item_text("i IN (1, NULL)"), "((i = 1) OR NULL) BOOLEAN");
  EXPECT_EQ(where_text("dt IN ('1994-01-01', DATE '1993-01-01')"),
            "(dt IN (DATE '1993-01-01', DATE '1994-01-01'))");
  EXPECT_EQ(where_text("v IN ('b', 'a')"), "(v IN ('a', 'b'))");
  EXPECT_EQ(where_text("i IN (1, bi)"), "((CAST(i AS BIGINT) = bi) OR (i = 1))");
  EXPECT_EQ(where_text("1 IN (i, 2)"), "(i = 1)");
  EXPECT_EQ(where_text("1 IN (1, i)"), where_text("true"));
  EXPECT_EQ(where_text("b IN (true)"), "b");
  EXPECT_EQ(where_text("(b AND i > 1) IN (true)"), "b; (i > 1)");
}

TEST(Bind, Like) {
  EXPECT_EQ(where_text("v LIKE 'a%'"), "(v LIKE 'a%')");
  EXPECT_EQ(where_text("v NOT LIKE 'a_'"), "NOT ((v LIKE 'a_'))");
  EXPECT_EQ(where_text("v LIKE 'abc'"), "(v = 'abc')");
  EXPECT_EQ(where_text("v LIKE 'a!%' ESCAPE '!'"), "(v = 'a%')");
  EXPECT_EQ(where_text("v LIKE '%!%' ESCAPE '!'"), "(v LIKE '%!%' ESCAPE '!')");
  EXPECT_EQ(where_text("v LIKE 'a\\%'"), "(v LIKE 'a\\%')") << "no escape by default, as DuckDB";
  EXPECT_EQ(where_text("v LIKE 'a%' ESCAPE ''"), "(v LIKE 'a%')");
  EXPECT_EQ(item_text("'abc' LIKE '_b%'"), "true BOOLEAN");
}

TEST(Bind, Logic) {
  EXPECT_EQ(where_text("NOT (i < 3 OR NOT (b AND v IS NULL))"), "(i >= 3); b; (v IS NULL)");
  EXPECT_EQ(where_text("NOT i = 3"), "(i <> 3)");
  EXPECT_EQ(where_text("NOT (i BETWEEN 1 AND 3)"), "((i < 1) OR (i > 3))");
  EXPECT_EQ(where_text("i NOT BETWEEN 1 AND 3"), "((i < 1) OR (i > 3))");
  EXPECT_EQ(where_text("b AND (b AND (b AND i = 1))"), "b; b; b; (i = 1)");
  EXPECT_EQ(where_text("i = 1 OR (i = 2 OR b)"), "((i = 1) OR (i = 2) OR b)");
  EXPECT_EQ(where_text("true AND i = 1 AND 1 < 2"), "(i = 1)");
  EXPECT_EQ(where_text("i = 1 OR 1 > 2"), "(i = 1)");
  EXPECT_EQ(where_text("i = 1 AND false"), "false");
  EXPECT_EQ(where_text("i = 1 OR NULL"), "(i = 1)");
  EXPECT_EQ(where_text("NULL"), "false");
  EXPECT_EQ(where_text("b IS TRUE"), "(b IS NOT NULL); b");
  EXPECT_EQ(where_text("b IS NOT TRUE"), "((b IS NULL) OR NOT (b))");
  EXPECT_EQ(where_text("(i = 1) IS FALSE"), "((i = 1) IS NOT NULL); (i <> 1)");
  EXPECT_EQ(where_text("b IS UNKNOWN"), "(b IS NULL)");
  EXPECT_EQ(where_text("i IS DISTINCT FROM 3"), "((i IS NULL) OR (i <> 3))");
  EXPECT_EQ(where_text("v IS NOT DISTINCT FROM 'x'"), "(v IS NOT NULL); (v = 'x')");
  EXPECT_EQ(where_text("i IS NOT DISTINCT FROM NULL"), "(i IS NULL)");
  // As a value the form is kept.
  EXPECT_EQ(item_text("NOT (i < 3)"), "NOT ((i < 3)) BOOLEAN");
}

TEST(Bind, WhereThatIsAlwaysTrueIsNone) {
  EXPECT_EQ(bound_text("SELECT i FROM 't.csv' WHERE 1 < 2 OR b"),
            "ROW i | OUT i INTEGER = result0");
}

TEST(Bind, Dates) {
  EXPECT_EQ(item_text("DATE '1994-01-31' + INTERVAL 1 MONTH"), "DATE '1994-02-28' DATE");
  EXPECT_EQ(item_text("DATE '1996-02-29' - INTERVAL '1' YEAR"), "DATE '1995-02-28' DATE");
  EXPECT_EQ(item_text("DATE '1994-12-31' + INTERVAL '2 months 3 days'"), "DATE '1995-03-03' DATE");
  EXPECT_EQ(item_text("INTERVAL 2 WEEKS + DATE '1994-12-31'"), "DATE '1995-01-14' DATE");
  EXPECT_EQ(item_text("DATE '0001-01-01' - INTERVAL 1 DAY"), "DATE '0001-12-31 (BC)' DATE");
  EXPECT_EQ(item_text("dt + 1"), "(dt + 1) DATE");
  EXPECT_EQ(item_text("ti + dt"), "(dt + CAST(ti AS INTEGER)) DATE");
  EXPECT_EQ(item_text("dt - DATE '1994-01-01'"), "(dt - DATE '1994-01-01') BIGINT");
  EXPECT_EQ(item_text("DATE '1994-01-02' - DATE '1994-01-01'"), "1 BIGINT");
  EXPECT_EQ(item_text("dt + INTERVAL 1 DAY"),
            "refused: an interval can only be added to a constant date");
  EXPECT_EQ(item_text("DATE '1994-01-01' + INTERVAL '1' HOUR"),
            "refused: this interval is not supported");
  EXPECT_EQ(item_text("DATE '1994-02-30'"), "refused: '1994-02-30' is no DATE");
}

TEST(Bind, OperatorsBindAsInDuckdb) {
  EXPECT_EQ(item_text("1 + 7 // 2 * 3"), "10 INTEGER");
  EXPECT_EQ(item_text("i + ti // si"), item_text("i + (ti // si)"));
  EXPECT_EQ(item_text("i // ti * si"), item_text("(i // ti) * si"));
  EXPECT_EQ(item_text("-i // 2"), item_text("(-i) // 2"));
  EXPECT_EQ(item_text("i == 3 AND b"), item_text("(i = 3) AND b"));
  EXPECT_EQ(item_text("NOT i = 3 IS NULL"), item_text("NOT ((i = 3) IS NULL)"));
  EXPECT_EQ(item_text("i BETWEEN 1 AND 2 = b"), item_text("(i BETWEEN 1 AND 2) = b"));
  EXPECT_EQ(item_text("i %-3"), item_text("i % -3"));
  EXPECT_EQ(item_text("i !=-1"), item_text("i <> -1"));
  EXPECT_EQ(item_text("7 % 4 // 2"), "1 INTEGER");
  EXPECT_EQ(item_text("-7 // 2"), "-3 INTEGER");
}

TEST(Bind, Aliases) {
  EXPECT_EQ(bound_text("SELECT i + 1 AS x, x * 2 AS y FROM 't.csv' WHERE y > 3 ORDER BY x"),
            "WHERE (((i + 1) * 2) > 3) | ROW (i + 1); ((i + 1) * 2) | OUT x INTEGER = result0; "
            "y INTEGER = result1 | ORDER result0");
  // A column comes before an alias, except as a whole ORDER BY item.
  EXPECT_EQ(bound_text("SELECT -i AS ti FROM 't.csv' WHERE ti = 1 ORDER BY ti, ti + 1"),
            "WHERE (ti = 1) | ROW -(i); (ti + 1) | OUT ti INTEGER = result0 | "
            "ORDER result0; result1");
  EXPECT_EQ(bound_text("SELECT i % 2 AS z, count(*) AS ti FROM 't.csv' GROUP BY z HAVING ti > 1"),
            "BY (i % 2) | AGG count_rows BIGINT | OUT z INTEGER = result0; ti BIGINT = result1 | "
            "HAVING (result1 > 1)");
  EXPECT_EQ(bound_text("SELECT x + 1, i AS x FROM 't.csv'"), "refused: there is no column x");
  EXPECT_EQ(bound_text("SELECT x AS x FROM 't.csv'"), "refused: there is no column x");
  EXPECT_EQ(bound_text("SELECT i AS z, count(*) FROM 't.csv' GROUP BY z + 0"),
            "refused: an alias in GROUP BY must stand alone");
}

TEST(Bind, Groups) {
  EXPECT_EQ(bound_text("SELECT i + 1, (i + 1) * 2 FROM 't.csv' GROUP BY 1"),
            "BY (i + 1) | OUT (i + 1) INTEGER = result0; ((i + 1) * 2) INTEGER = (result0 * 2)");
  EXPECT_EQ(
      bound_text("SELECT sum(i), avg(i), sum(i) + count(i), count(1) FROM 't.csv'"),
      "AGG sum(i) HUGEINT; count(i) BIGINT; count_rows BIGINT | OUT sum(i) HUGEINT = result0; "
      "avg(i) DOUBLE = average(result0, result1); (sum(i) + count(i)) HUGEINT = "
      "(result0 + CAST(result1 AS HUGEINT)); count(1) BIGINT = result2");
  EXPECT_EQ(bound_text("SELECT v FROM 't.csv' GROUP BY v, v, 'x' ORDER BY max(i) DESC NULLS FIRST"),
            "BY v | AGG max(i) INTEGER | OUT v VARCHAR = result0 | ORDER result1 DESC NULLS FIRST");
  EXPECT_EQ(bound_text("SELECT count(*) FROM 't.csv' GROUP BY 'x'"),
            "BY 'x' | AGG count_rows BIGINT | OUT count_star() BIGINT = result1");
  EXPECT_EQ(bound_text("SELECT 5 FROM 't.csv' HAVING count(*) > 1"),
            "AGG count_rows BIGINT | OUT 5 INTEGER = 5 | HAVING (result0 > 1)");
  EXPECT_EQ(bound_text("SELECT sum(b), min(v), max(dt), count(), avg(db) FROM 't.csv'"),
            "AGG sum(CAST(b AS INTEGER)) HUGEINT; min(v) VARCHAR; max(dt) DATE; count_rows BIGINT; "
            "sum(db) DOUBLE; count(db) BIGINT | OUT sum(b) HUGEINT = result0; min(v) VARCHAR = "
            "result1; max(dt) DATE = result2; count_star() BIGINT = result3; avg(db) DOUBLE = "
            "average(result4, result5)");
}

TEST(Bind, Distinct) {
  EXPECT_EQ(bound_text("SELECT DISTINCT i, i + 1, 5 FROM 't.csv' ORDER BY i + 1"),
            "BY i; (i + 1) | OUT i INTEGER = result0; (i + 1) INTEGER = result1; 5 INTEGER = 5 | "
            "ORDER result1");
  EXPECT_EQ(bound_text("SELECT DISTINCT i FROM 't.csv' ORDER BY v"),
            "refused: with DISTINCT, ORDER BY takes only columns of the result");
}

TEST(Bind, OrderAndLimits) {
  EXPECT_EQ(bound_text("SELECT i FROM 't.csv' ORDER BY 1 DESC, v NULLS FIRST, 1 + 1 LIMIT 2 + 3 "
                       "OFFSET 4"),
            "ROW i; v | OUT i INTEGER = result0 | ORDER result0 DESC; result1 NULLS FIRST | "
            "LIMIT 5 | OFFSET 4");
  EXPECT_EQ(bound_text("SELECT i FROM 't.csv' LIMIT ALL OFFSET 0"),
            "ROW i | OUT i INTEGER = result0");
  EXPECT_EQ(bound_text("SELECT i FROM 't.csv' LIMIT 0"),
            "ROW i | OUT i INTEGER = result0 | LIMIT 0");
}

TEST(Bind, ConstantsInTheSelectListAreRowValues) {
  EXPECT_EQ(bound_text("SELECT 1, 'x' FROM 't.csv'"),
            "ROW 1; 'x' | OUT 1 INTEGER = result0; 'x' VARCHAR = result1");
}

TEST(Bind, TreesOfDifferentTextAreTheSame) {
  const Result<op::Query> a =
      bind_text("SELECT i FROM 't.csv' WHERE 0.05 <= D15 AND NOT dt > '1994-01-01'");
  const Result<op::Query> b =
      bind_text("select I from 't.csv' where (d15 >= 0.050) and dt <= date '1994-01-01'");
  ASSERT_TRUE(a && b);
  ASSERT_EQ(a->op.filter.size(), b->op.filter.size());
  for (size_t i = 0; i < a->op.filter.size(); i++)
    EXPECT_TRUE(op::same_expression(*a->op.filter[i], *b->op.filter[i]));
}

}  // namespace
}  // namespace grapnel::sql
