#include "api/watcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

namespace grapnel::api {
namespace {

/// A query that only counts what it is told.
class CountingQuery final : public wire::RunningQuery {
 public:
  Status schema(ArrowSchema*) override { return ok_status(); }
  grapnel::Result<bool> next(ArrowArray*) override { return false; }
  void cancel() override { cancels++; }
  [[nodiscard]] wire::QueryProgress progress() const override { return {7, 9, 0.5, "read"}; }
  [[nodiscard]] std::string statistics_json() const override { return "{}"; }
  std::atomic<int> cancels{0};
};

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; i++) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST(Watcher, ForwardsCancelOnceOverManyCalls) {
  CountingQuery query;
  CancelToken token;
  Watcher watcher(query, &token, {});
  for (int i = 0; i < 1000; i++) const Watcher::Call call(watcher);
  EXPECT_EQ(query.cancels, 0);
  token.cancel();
  {
    const Watcher::Call call(watcher);
    EXPECT_TRUE(comes_true([&] { return query.cancels > 0; }));
  }
  for (int i = 0; i < 3; i++) {
    const Watcher::Call call(watcher);
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  EXPECT_EQ(query.cancels, 1);
}

TEST(Watcher, ReportsFromOneThreadAndOnlyDuringCalls) {
  CountingQuery query;
  std::atomic<int> reports{0};
  std::atomic<bool> in_call{false};
  std::thread::id first;
  Watcher watcher(query, nullptr, [&](const Progress& now) {
    EXPECT_TRUE(in_call);
    EXPECT_EQ(now.bytes_total, 9U);
    if (reports++ == 0) first = std::this_thread::get_id();
    EXPECT_EQ(first, std::this_thread::get_id());
  });
  for (int i = 1; i <= 3; i++) {
    in_call = true;
    {
      const Watcher::Call call(watcher);
      const int before = reports;
      EXPECT_TRUE(comes_true([&] { return reports > before; }));
    }
    in_call = false;
    // Long enough for the watcher to fall asleep: the next call must wake it.
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(Watcher, EndsWithoutWaiting) {
  CountingQuery query;
  CancelToken token;
  {
    const Watcher unused(query, &token, {});
  }
  Watcher busy(query, &token, {});
  const Watcher::Call call(busy);
}

}  // namespace
}  // namespace grapnel::api
