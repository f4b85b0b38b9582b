// Random tables, data and queries: native code of each level gives what the interpreter gives.
#include <cstdlib>

#include "random_query.h"

namespace grapnel::lower_test {
namespace {

uint64_t first_seed() {
  const char* given = getenv("GRAPNEL_TEST_SEED");
  return given != nullptr ? strtoull(given, nullptr, 10) : std::random_device{}();
}

int case_count() {
  const char* given = getenv("GRAPNEL_TEST_CASES");
  return given != nullptr ? static_cast<int>(strtol(given, nullptr, 10)) : 25;
}

struct Tally {
  int bound = 0;     ///< queries that SQL accepts
  int compared = 0;  ///< of them, those that were lowered
  int failed = 0;    ///< queries that failed on their data, the same way by both
};

void compare_case(uint64_t seed, const Directory& directory, Tally& tally) {
  SCOPED_TRACE("GRAPNEL_TEST_SEED=" + std::to_string(seed) + " GRAPNEL_TEST_CASES=1");
  RandomCase random(seed);
  const TableOptions table = random.make_table();
  const std::string content = random.make_content(table, 1 + seed % 300);
  const auto source = open_table(directory.write("table.csv", content), table);
  for (int i = 0; i < 4; i++) {
    const std::string sql = random.make_query(table);
    const auto job = make_job(source, sql);
    if (!job) continue;
    tally.bound++;
    const size_t step = i == 0 ? 0 : 1 + seed % 997;
    const auto expected = run(*program::make_interpreter(*job), **job, content, step);
    tally.failed += expected.text.starts_with("error");
    bool lowered = false;
    for (const std::string& level : supported_levels()) {
      const auto native = make_native(*job, level);
      if (!native) {
        EXPECT_EQ(native.error().kind, ErrorKind::hook)
            << sql << ": " << native.error().to_string();
        continue;
      }
      lowered = true;
      EXPECT_EQ(run(**native, **job, content, step, i % 2 == 1).text, expected.text)
          << level << ": " << sql;
    }
    tally.compared += lowered;
  }
}

/// Needs no compiler, so that the sanitizers see the interpreter with all that random queries do.
TEST(NativeRandom, InterpreterWhereverTheDataIsCut) {
  const uint64_t seed = first_seed();
  const Directory directory;
  int compared = 0;
  for (int i = 0; i < case_count() && !HasFailure(); i++) {
    const uint64_t one = seed + static_cast<uint64_t>(i);
    SCOPED_TRACE("GRAPNEL_TEST_SEED=" + std::to_string(one) + " GRAPNEL_TEST_CASES=1");
    RandomCase random(one);
    const TableOptions table = random.make_table();
    const std::string content = random.make_content(table, 1 + one % 300);
    const auto source = open_table(directory.write("table.csv", content), table);
    for (int query = 0; query < 8; query++) {
      const std::string sql = random.make_query(table);
      const auto job = make_job(source, sql);
      if (!job) continue;
      const auto program = program::make_interpreter(*job);
      EXPECT_EQ(run(*program, **job, content, 1 + one % 997, true).text,
                run(*program, **job, content).text)
          << sql;
      compared++;
    }
  }
  std::cout << "seed " << seed << ": " << compared << " queries\n";
  EXPECT_GT(compared, case_count());
}

TEST(NativeRandom, SameAsTheInterpreter) {
  GRAPNEL_NEEDS_COMPILER();
  const uint64_t seed = first_seed();
  const Directory directory;
  Tally tally;
  for (int i = 0; i < case_count() && !HasFailure(); i++)
    compare_case(seed + static_cast<uint64_t>(i), directory, tally);
  std::cout << "seed " << seed << ": " << tally.bound << " queries, " << tally.compared
            << " lowered, " << tally.failed << " failed on their data\n";
  if (case_count() >= 20) {
    EXPECT_GT(tally.bound, 2 * case_count());
    EXPECT_GT(tally.compared * 10, tally.bound * 8);
    EXPECT_LT(tally.failed * 2, tally.bound);
  }
}

}  // namespace
}  // namespace grapnel::lower_test
