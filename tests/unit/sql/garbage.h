// Statements that no person would type, for the robustness test and the fuzzer.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "sql/caret.h"
#include "sql_test_support.h"

namespace grapnel::sql {

/// Runs a text through everything in src/sql. Breaks (by assert or sanitizer) only if there is a
/// bug. Empty if all promises are kept, else what was broken.
inline std::string run_through(std::string_view sql) {
  const Result<op::Query> query = bind_text(sql);
  if (query) {
    if (query->schema.size() != query->finish.outputs.size()) return "schema and outputs differ";
    for (size_t i = 0; i < query->schema.size(); i++) {
      if (query->schema[i].type != query->finish.outputs[i]->type) return "types differ";
    }
    return to_text(*query).empty() ? "no text" : "";
  }
  const Error& error = query.error();
  if (error.kind != ErrorKind::refused) return "another kind of error: " + error.message;
  if (!error.sql_offset) return "no place: " + error.message;
  if (*error.sql_offset > sql.size()) return "place beyond the end: " + error.message;
  return describe(error, sql).empty() ? "no text" : "";
}

/// Random sequences of tokens that look like SQL more often than not.
class Garbage {
 public:
  explicit Garbage(uint64_t seed) : random_(seed) {}

  /// A statement from pieces of the grammar, then a few tokens changed.
  std::string statement() {
    std::string sql = "SELECT " + list(3) + " FROM 't.csv'";
    if (chance(2)) sql += " WHERE " + pick(kColumns) + pick(kComparisons) + pick(kColumns);
    if (chance(3)) sql += " AND " + expression(4);
    if (chance(3)) sql += " GROUP BY " + list(2);
    if (chance(6)) sql += " HAVING " + expression(3);
    if (chance(3)) sql += " ORDER BY " + list(2);
    if (chance(4)) sql += " LIMIT " + pick(kAtoms);
    if (chance(3)) mutate(sql);
    return sql;
  }

 private:
  bool chance(unsigned n) { return random_() % n == 0; }
  const std::string& pick(const std::vector<std::string>& from) {
    return from[random_() % from.size()];
  }

  std::string list(unsigned most) {
    std::string text = expression(2);
    for (unsigned i = 0; i < most && chance(2); i++) text += ", " + expression(2);
    return text;
  }

  std::string expression(unsigned depth) {
    if (depth == 0 || chance(2)) return pick(kAtoms);
    switch (random_() % 8) {
      case 0:
        return "(" + expression(depth - 1) + ")";
      case 1:
        return pick(kPrefixes) + expression(depth - 1);
      case 2:
        return expression(depth - 1) + pick(kSuffixes);
      case 3:
        return pick(kCalls) + "(" + expression(depth - 1) + ")";
      case 4:
        return expression(depth - 1) + " BETWEEN " + expression(depth - 1) + " AND " +
               expression(depth - 1);
      case 5:
        return expression(depth - 1) + " IN (" + list(3) + ")";
      default:
        return expression(depth - 1) + pick(kOperators) + expression(depth - 1);
    }
  }

  void mutate(std::string& sql) {
    for (unsigned n = 1 + random_() % 3; n > 0; n--) {
      const size_t at = random_() % (sql.size() + 1);
      switch (random_() % 4) {
        case 0:
          sql.insert(at, pick(kNoise));
          break;
        case 1:
          sql.erase(at, 1 + random_() % 8);
          break;
        case 2:
          if (at < sql.size()) sql[at] = static_cast<char>(random_());
          break;
        default:
          sql.insert(at, sql.substr(random_() % (sql.size() + 1), random_() % 20));
      }
    }
  }

  static inline const std::vector<std::string> kColumns = {
      "ti", "i", "uti", "d15", "d38", "5", "0.5", "\"Mixed Case\"", "db"};
  static inline const std::vector<std::string> kComparisons = {"=", " <> ", "<", ">=", " + 1 > "};
  static inline const std::vector<std::string> kAtoms = {"b",
                                                         "ti",
                                                         "i",
                                                         "bi",
                                                         "hi",
                                                         "uti",
                                                         "ubi",
                                                         "d15",
                                                         "d4",
                                                         "d38",
                                                         "db",
                                                         "v",
                                                         "dt",
                                                         "x",
                                                         "\"Mixed Case\"",
                                                         "t.i",
                                                         "1",
                                                         "-1",
                                                         "0",
                                                         "2147483647",
                                                         "99999999999999999999",
                                                         "0.5",
                                                         "1e300",
                                                         "NULL",
                                                         "true",
                                                         "'x'",
                                                         "'1994-01-01'",
                                                         "''",
                                                         "DATE '1994-01-01'",
                                                         "INTERVAL 3 MONTHS",
                                                         "count(*)",
                                                         "*",
                                                         "127",
                                                         "200",
                                                         "-0.5",
                                                         "'5'",
                                                         "1e-300"};
  static inline const std::vector<std::string> kOperators = {" + ",
                                                             " - ",
                                                             "*",
                                                             " / ",
                                                             " // ",
                                                             "%",
                                                             " = ",
                                                             "<>",
                                                             " < ",
                                                             "<=",
                                                             ">",
                                                             " >= ",
                                                             " AND ",
                                                             " OR ",
                                                             " LIKE ",
                                                             " NOT LIKE ",
                                                             " IS DISTINCT FROM ",
                                                             "==",
                                                             "!=",
                                                             " AS ",
                                                             "%-",
                                                             "!=-"};
  static inline const std::vector<std::string> kPrefixes = {"-", "NOT ", "+", "- -", "CAST("};
  static inline const std::vector<std::string> kSuffixes = {
      " IS NULL",  " IS NOT NULL",     " IS TRUE", " IS NOT FALSE", "::DECIMAL(5,2)", "::TINYINT",
      "::DOUBLE",  "::DATE",           " DESC",    " NULLS FIRST",  " AS y",          " ESCAPE '!'",
      "::VARCHAR", "::DECIMAL(38,38)", "::BOOLEAN"};
  static inline const std::vector<std::string> kCalls = {"sum",   "avg", "MIN", "max",
                                                         "count", "abs", "",    "CASE"};
  static inline const std::vector<std::string> kNoise = {
      "'",
      "\"",
      "(",
      ")",
      ",",
      ";",
      "--",
      "/*",
      "$1",
      "$$",
      "U&'x'",
      "E'\\x41'",
      " JOIN ",
      " UNION ",
      " SELECT ",
      "FROM",
      " FROM 'u.csv' ",
      "\n",
      "\xc3",
      "\xc3\xa4",
      "::",
      "[1]",
      "//",
      "999999999999999999999999999999999999999999",
      " OVER () ",
      " FILTER (WHERE b) ",
      " WITH ",
      " GROUP BY 1 ",
      "LIMIT 5",
      "EXPLAIN ",
      ".",
      "..",
      "1.e",
      "0x1F",
      "\x01"};

  std::mt19937_64 random_;
};

}  // namespace grapnel::sql
