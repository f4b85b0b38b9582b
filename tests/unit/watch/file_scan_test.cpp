#include "watch/file_scan.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hooks/scan_fixture.h"

namespace grapnel::watch {
namespace {

constexpr uint64_t kPieceBytes = CachedBytes::kMostPages << GR_WATCH_PAGE_BITS;

class FileScanTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string content;
    while (content.size() < 4 * kPieceBytes) content += std::to_string(records_++) + '\n';
    const std::string path = directory_.write("file", content);
    auto query = StandingQuery::prepare("SELECT count(*) FROM lines('" + path + "')", {});
    ASSERT_TRUE(query.ok()) << query.error().to_string();
    query_ = *std::move(query);
    auto scan = FileScan::open({query_.get()}, [this] { calls_++; });
    ASSERT_TRUE(scan.ok()) << scan.error().to_string();
    scan_ = *std::move(scan);
  }

  const scan_test::Directory directory_;
  uint64_t records_ = 0;
  uint64_t calls_ = 0;
  std::unique_ptr<StandingQuery> query_;
  std::unique_ptr<FileScan> scan_;
};

TEST_F(FileScanTest, LooksAroundBetweenPiecesOfWhatIsMarked) {
  gr_watch_slot slot{};
  for (gr_u64& word : slot.words) word = ~gr_u64{0};
  scan_->take(slot);
  EXPECT_TRUE(query_->assembler().complete());
  EXPECT_EQ(query_->assembler().partial().records, records_);
  EXPECT_GE(calls_, 4U);
}

TEST_F(FileScanTest, LooksAroundBetweenPiecesOfWhatIsMissing) {
  scan_->complete(*query_);
  EXPECT_TRUE(query_->assembler().complete());
  EXPECT_GE(calls_, 4U);
}

}  // namespace
}  // namespace grapnel::watch
