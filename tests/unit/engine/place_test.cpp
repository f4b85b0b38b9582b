// Whether a query is pushed or the file is shipped.
#include "engine/place.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "engine/engine.h"
#include "engine/result_size.h"

namespace grapnel::engine {
namespace {

class PlaceTest : public testing::Test {
 public:
  ~PlaceTest() override { ::unlink(path_.c_str()); }

 protected:
  PlaceTest() {
    const char* directory = std::getenv("GRAPNEL_TEST_TMP");
    path_ = std::string(directory == nullptr ? "/tmp" : directory) + "/place-" +
            std::to_string(::getpid()) + ".csv";
    std::ofstream file(path_);
    file << "a,b,c\n";
    for (int i = 0; i < kRecords; i++) file << i % 10 << "," << i % 7 << ",xyz\n";
  }

  [[nodiscard]] std::string sql(std::string text) const {
    return text.replace(text.find("{}"), 2, "'" + path_ + "'");
  }
  [[nodiscard]] Prepared prepared(const std::string& text) const {
    auto made = prepare(sql(text), {}, {});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *std::move(made);
  }
  /// Over a link that is much slower than everything else.
  static Place over_slow_link(const Prepared& prepared) {
    return choose_place(prepared, {1e6, 0.001, 2});
  }

  static constexpr int kRecords = 200'000;  // 1.6 MB, of 8 bytes each
  std::string path_;
};

TEST_F(PlaceTest, ResultsAreGuessedFromTheFirstRecords) {
  const auto guess = [this](const std::string& text) {
    return estimate_result_bytes(prepared(text)) / kRecords;
  };
  EXPECT_NEAR(guess("SELECT * FROM {}"), 8 + 8 + 4 + 3, 0.1);
  EXPECT_NEAR(guess("SELECT a FROM {}"), 8, 0.1);
  // The share of records comes from a few hundred of them: one in ten, to within three deviations.
  EXPECT_NEAR(guess("SELECT c, c FROM {} WHERE a = 3"), 2 * 7 * 0.1, 2 * 7 * 0.057);
  EXPECT_NEAR(guess("SELECT a FROM {} LIMIT 1000") * kRecords, 8000, 1);
  EXPECT_LT(guess("SELECT sum(a) FROM {}") * kRecords, 100);
  EXPECT_LT(guess("SELECT a, count(*) FROM {} GROUP BY a") * kRecords, 1e5);
  // Without a record in the sample: the types say how wide a row is.
  EXPECT_GE(guess("SELECT c FROM {} WHERE a > 100"), 0);
}

TEST_F(PlaceTest, TheSmallerOneGoesOverASlowLink) {
  // 23 bytes a row against 8 of the file.
  const Place all = over_slow_link(prepared("SELECT * FROM {}"));
  EXPECT_TRUE(all.ship) << all.why;
  EXPECT_NE(all.why.find("push"), std::string::npos);
  for (const char* text : {"SELECT sum(a) FROM {}", "SELECT * FROM {} WHERE a = 3 AND b = 2",
                           "SELECT * FROM {} LIMIT 10", "SELECT a FROM {}"}) {
    const Place place = over_slow_link(prepared(text));
    EXPECT_FALSE(place.ship) << text << ": " << place.why;
  }
}

TEST_F(PlaceTest, NothingIsShippedOverALinkThatIsNotKnown) {
  const Place place = choose_place(prepared("SELECT * FROM {}"), {0, 0, 2});
  EXPECT_FALSE(place.ship);
  EXPECT_NE(place.why.find("calibrate"), std::string::npos) << place.why;
}

TEST_F(PlaceTest, TheServerAdvisesOnlyWhoHasOffered) {
  const auto engine = make_engine();
  const auto advice = [&](const std::string& text, const wire::ExecuteOptions& options) {
    auto query = engine->execute(sql(text), options);
    EXPECT_TRUE(query.ok()) << query.error().message;
    return query.ok() ? (*query)->rather_ship() : "";
  };
  wire::ExecuteOptions options;
  EXPECT_EQ(advice("SELECT * FROM {}", options), "");
  options.ship_offer = wire::ShipOffer{1e6, 0.001, 2};
  EXPECT_NE(advice("SELECT * FROM {}", options), "");
  EXPECT_NE(advice("EXPLAIN ANALYZE SELECT * FROM {}", options), "");
  EXPECT_EQ(advice("EXPLAIN SELECT * FROM {}", options), "") << "the server explains";
  EXPECT_EQ(advice("SELECT sum(a) FROM {}", options), "");
  options.hook = "read";
  EXPECT_EQ(advice("SELECT * FROM {}", options), "") << "a hook of the server is named";
}

}  // namespace
}  // namespace grapnel::engine
