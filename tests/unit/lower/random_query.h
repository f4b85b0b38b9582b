// Random tables and random queries on them, for comparing lowerings with the interpreter.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "lower_fixture.h"

namespace grapnel::lower_test {

/// Everything follows from the seed, which the test prints.
class RandomCase {
 public:
  explicit RandomCase(uint64_t seed) : random_(seed) {}

  TableOptions make_table();
  std::string make_content(const TableOptions& table, size_t records);
  /// A query that mostly binds; "" if this kind cannot be made of the table.
  std::string make_query(const TableOptions& table);

 private:
  size_t below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }
  std::string digits(size_t most);
  std::string value_text(op::Type type, const TableOptions& table);
  std::string odd_text();
  std::string literal(op::Type type);
  std::string number(const TableOptions& table, int depth);
  std::string condition(const TableOptions& table, int depth);
  std::string comparison(const TableOptions& table, int depth);
  std::string text_condition(const source::Column& column);
  const source::Column* pick(const TableOptions& table, bool (*wanted)(op::Type));

  std::mt19937_64 random_;
};

}  // namespace grapnel::lower_test
