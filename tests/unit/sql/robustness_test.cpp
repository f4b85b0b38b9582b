// Random statements: they are bound or refused, with a place; nothing else happens.
#include <gtest/gtest.h>

#include <cstdlib>

#include "garbage.h"

namespace grapnel::sql {
namespace {

TEST(Robustness, RandomStatements) {
  const char* given = std::getenv("GRAPNEL_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed %llu (set GRAPNEL_TEST_SEED to repeat)\n",
              static_cast<unsigned long long>(seed));
  Garbage garbage(seed);
  int bound = 0;
  constexpr int kStatements = 5000;
  for (int n = 0; n < kStatements; n++) {
    const std::string sql = garbage.statement();
    EXPECT_EQ(run_through(sql), "") << "seed " << seed << ", statement " << n << ": " << sql;
    if (bind_text(sql)) bound++;
  }
  // The test is worth nothing if all is refused at once.
  EXPECT_GT(bound, kStatements / 50) << "seed " << seed;
}

}  // namespace
}  // namespace grapnel::sql
