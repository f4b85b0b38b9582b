#include "cli/sql_text.h"

#include <gtest/gtest.h>

namespace grapnel::cli {
namespace {

TEST(WithTable, FromGoesWhereItBelongs) {
  EXPECT_EQ(*with_table("SELECT 1", "f.csv"), "SELECT 1 FROM 'f.csv'");
  EXPECT_EQ(*with_table("SELECT a;", "f.csv"), "SELECT a FROM 'f.csv';");
  EXPECT_EQ(*with_table("SELECT a WHERE b = 'GROUP' GROUP BY a", "f.csv"),
            "SELECT a FROM 'f.csv' WHERE b = 'GROUP' GROUP BY a");
  EXPECT_EQ(*with_table("select sum(a) order by 1 limit 3", "x"),
            "select sum(a) FROM 'x' order by 1 limit 3");
  EXPECT_EQ(*with_table("SELECT 'it''s FROM', extract(year FROM d)", "x"),
            "SELECT 'it''s FROM', extract(year FROM d) FROM 'x'");
  EXPECT_EQ(*with_table("SELECT \"where\"", "lines('l')"), "SELECT \"where\" FROM lines('l')");
  EXPECT_EQ(*with_table("SELECT a", "it's"), "SELECT a FROM 'it''s'");
}

TEST(WithTable, TwoFilesAreRefused) {
  for (const char* sql : {"SELECT a FROM 'y.csv'", "select count(*) from lines('l') where true"}) {
    const auto text = with_table(sql, "x.csv");
    ASSERT_FALSE(text.ok()) << *text;
    EXPECT_EQ(text.error().kind, api::ErrorKind::usage);
    EXPECT_NE(text.error().message.find("x.csv"), std::string::npos) << text.error().message;
  }
}

}  // namespace
}  // namespace grapnel::cli
