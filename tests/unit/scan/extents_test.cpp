#include "scan/extents.h"

#include <gtest/gtest.h>

#include "hooks/common/extent_size.h"

namespace grapnel::scan {
namespace {

source::Source source_of(uint64_t begin, uint64_t end) {
  source::Source source;
  source.path = "t";
  source.data_begin = begin;
  source.data_end = end;
  return source;
}

void check_cover(const ExtentCutter& cutter, const source::Source& source) {
  uint64_t position = source.data_begin;
  for (uint32_t i = 0; i < cutter.count(); i++) {
    const hooks::Extent extent = cutter.at(i);
    ASSERT_EQ(extent.begin, position);
    ASSERT_GT(extent.end, extent.begin);
    ASSERT_EQ(extent.number, i);
    ASSERT_EQ(extent.last, i + 1 == cutter.count());
    position = extent.end;
  }
  ASSERT_EQ(position, source.data_end);
}

TEST(Extents, CoverEveryByteOnce) {
  for (const uint64_t begin : {uint64_t{0}, uint64_t{3}, uint64_t{300'000}}) {
    for (const uint64_t size : {uint64_t{1}, uint64_t{4095}, uint64_t{4} << 20, uint64_t{5} << 20,
                                (uint64_t{1} << 30) + 17}) {
      const source::Source source = source_of(begin, begin + size);
      for (const uint64_t bytes : {uint64_t{0}, uint64_t{4097}, uint64_t{1} << 20}) {
        const auto cutter = ExtentCutter::make(source, bytes, false);
        ASSERT_TRUE(cutter.ok());
        if (cutter->count() < 100'000) check_cover(*cutter, source);
      }
    }
  }
}

TEST(Extents, NoneForNoData) {
  const auto cutter = ExtentCutter::make(source_of(10, 10), 0, false);
  ASSERT_TRUE(cutter.ok());
  EXPECT_EQ(cutter->count(), 0U);
}

TEST(Extents, SmallFilesAreOne) {
  EXPECT_EQ(ExtentCutter::make(source_of(3, 3 + hooks::kOneExtentBytes), 0, false)->count(), 1U);
  EXPECT_GE(ExtentCutter::make(source_of(3, 16 << 20), 0, false)->count(), 8U);
}

TEST(Extents, FixedRecordsAreNeverCut) {
  source::Source source = source_of(7, 7 + uint64_t{1000} * 48'000);
  source.layout.format = source::Format::fixed;
  source.layout.record_bytes = 48'000;
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{100'000}}) {
    const auto cutter = ExtentCutter::make(source, bytes, false);
    ASSERT_TRUE(cutter.ok());
    check_cover(*cutter, source);
    for (uint32_t i = 0; i < cutter->count(); i++) {
      EXPECT_EQ((cutter->at(i).begin - 7) % 48'000, 0U);
      EXPECT_TRUE(cutter->at(i).first);
    }
  }
}

TEST(Extents, TenTerabytesByArithmetic) {
  const source::Source source = source_of(0, uint64_t{10} << 40);
  const auto cutter = ExtentCutter::make(source, 0, false);
  ASSERT_TRUE(cutter.ok());
  EXPECT_EQ(cutter->at(0).begin, 0U);
  EXPECT_EQ(cutter->at(cutter->count() - 1).end, source.data_end);
  EXPECT_LE(sizeof(*cutter), 64U);
  EXPECT_FALSE(ExtentCutter::make(source_of(0, UINT64_MAX / 2), 1, false).ok());
}

}  // namespace
}  // namespace grapnel::scan
