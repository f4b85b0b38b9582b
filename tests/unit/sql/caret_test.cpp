#include "sql/caret.h"

#include <gtest/gtest.h>

namespace grapnel::sql {
namespace {

TEST(Caret, StandsUnderThePlace) {
  EXPECT_EQ(caret_lines("SELECT x", 7), "SELECT x\n       ^\n");
  EXPECT_EQ(caret_lines("SELECT", 6), "SELECT\n      ^\n");
  EXPECT_EQ(caret_lines("SELECT", 600), "SELECT\n      ^\n");
  EXPECT_EQ(caret_lines("", 0), "\n^\n");
}

TEST(Caret, CountsCharactersNotBytes) { EXPECT_EQ(caret_lines("'äö' x", 7), "'äö' x\n     ^\n"); }

TEST(Caret, ShowsTheLineOfSeveral) {
  EXPECT_EQ(caret_lines("SELECT\n a,\n\tb\nFROM t", 12), "LINE 3:  b\n         ^\n");
  EXPECT_EQ(caret_lines("SELECT\nx", 0), "LINE 1: SELECT\n        ^\n");
}

TEST(Caret, CutsLongLines) {
  const std::string sql = std::string(500, 'a') + "X" + std::string(500, 'b');
  EXPECT_EQ(caret_lines(sql, 500), "..." + std::string(50, 'a') + "X" + std::string(49, 'b') +
                                       "...\n" + std::string(53, ' ') + "^\n");
}

TEST(Caret, ShowsNoControlCharacters) {
  EXPECT_EQ(caret_lines("a\x1b[31m x", 7), "a [31m x\n       ^\n");
}

TEST(Caret, WholeMessage) {
  Error error;
  error.kind = ErrorKind::refused;
  error.message = "there is no column x";
  error.hint = "did you mean y?";
  error.sql_offset = 7;
  EXPECT_EQ(describe(error, "SELECT x"),
            "there is no column x\nSELECT x\n       ^\nhint: did you mean y?\n");
  error.sql_offset.reset();
  error.hint.clear();
  EXPECT_EQ(describe(error, "SELECT x"), "there is no column x\n");
}

}  // namespace
}  // namespace grapnel::sql
