#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "grapnel/estimate.h"

namespace grapnel::api {
namespace {

/// The example that the model was made for: 10 GB, 1 GB/s, 10 ms.
EstimateInput example() {
  EstimateInput in;
  in.hooks = {{"pipe", 2e9, false}, {"direct", 4e9, true}};
  return in;
}

const Approach& named(const std::vector<Approach>& all, const std::string& name) {
  for (const Approach& one : all)
    if (one.name == name) return one;
  ADD_FAILURE() << "no way is called " << name;
  return all.front();
}

double term(const Approach& approach, const std::string& name) {
  for (const EstimateTerm& one : approach.terms)
    if (one.name == name) return one.counted;
  ADD_FAILURE() << approach.name << " has no " << name;
  return 0;
}

TEST(Estimate, ShippingTakesTheLinksTimeAndPushingTheDevices) {
  const auto all = estimate(example());
  ASSERT_TRUE(all.ok());
  const Approach& ship = named(*all, "ship, process while it arrives");
  EXPECT_EQ(ship.bottleneck, "transfer");
  EXPECT_NEAR(term(ship, "transfer"), 10, 0.2);  // with slow start
  EXPECT_GT(term(ship, "transfer"), 10);
  const Approach& push = named(*all, "push: pipe, 1 thread");
  EXPECT_EQ(push.bottleneck, "storage");
  EXPECT_NEAR(push.total_seconds, 5 + 0.010, 0.01);
}

TEST(Estimate, RowsThatLeaveMeanwhileOverlap) {
  EstimateInput in = example();
  in.result_bytes = 10e9;
  const double after = named(*estimate(in), "push: pipe, 1 thread").total_seconds;
  in.result_streams = true;
  const auto all = estimate(in);
  const Approach& meanwhile = named(*all, "push: pipe, 1 thread");
  EXPECT_NEAR(after - meanwhile.total_seconds, 5, 0.01);
  EXPECT_EQ(meanwhile.bottleneck, "result");
}

TEST(Estimate, UnpipelinedShippingAddsProcessing) {
  const auto all = estimate(example());
  const double pipelined = named(*all, "ship, process while it arrives").total_seconds;
  const double after = named(*all, "ship, then process").total_seconds;
  EXPECT_NEAR(after - pipelined, 10e9 / 2.5e9, 0.01);
}

TEST(Estimate, TotalIsTheSumOfWhatIsCounted) {
  EstimateInput in = example();
  in.server_threads = 4;
  in.connect_round_trips = 2;
  const auto all = estimate(in);
  EXPECT_EQ(all->size(), 3 + 2 * 2 + 1U);
  for (const Approach& approach : *all) {
    double sum = 0;
    for (const EstimateTerm& one : approach.terms) {
      sum += one.counted;
      EXPECT_LE(one.counted, one.seconds) << approach.name << " " << one.name;
    }
    EXPECT_DOUBLE_EQ(sum, approach.total_seconds) << approach.name;
    EXPECT_DOUBLE_EQ(term(approach, "connect"), 0.020);
  }
}

TEST(Estimate, CachedBytesNeedNoDeviceButDirectAsksItAnyway) {
  EstimateInput in = example();
  in.cached_share = 1;
  const auto all = estimate(in);
  EXPECT_EQ(named(*all, "push: pipe, 1 thread").bottleneck, "processing");
  EXPECT_NEAR(named(*all, "push: pipe, 1 thread").total_seconds, 5.01, 0.01);
  EXPECT_EQ(named(*all, "push: direct, 1 thread").bottleneck, "storage");
}

TEST(Estimate, AWindowThatIsTooSmallLimitsTheLink) {
  EstimateInput in = example();
  in.tcp_window_bytes = 1e6;  // 1 MB each 10 ms: a tenth of the link
  const auto all = estimate(in);
  EXPECT_NEAR(term(named(*all, "ship, process while it arrives"), "transfer"), 100, 1);
}

TEST(Estimate, SettingUpIsATermOfItsOwnWhereThereIsAny) {
  EstimateInput in = example();
  const auto before = estimate(in);
  in.hooks[0].setup_seconds = 0.025;
  const auto all = estimate(in);
  ASSERT_TRUE(all.ok());
  const Approach& pipe = named(*all, "push: pipe, 1 thread");
  EXPECT_DOUBLE_EQ(term(pipe, "setup"), 0.025);
  EXPECT_NEAR(pipe.total_seconds - named(*before, "push: pipe, 1 thread").total_seconds, 0.025,
              1e-9);
  for (const EstimateTerm& one : named(*all, "push: direct, 1 thread").terms) {
    EXPECT_NE(one.name, "setup");
  }
}

TEST(Estimate, NumbersThatMakeNoSenseAreRefused) {
  const auto refuses = [](auto change) {
    EstimateInput in = example();
    change(in);
    const auto all = estimate(in);
    ASSERT_FALSE(all.ok());
    EXPECT_EQ(all.error().kind, ErrorKind::usage);
  };
  refuses([](EstimateInput& in) { in.file_bytes = -1; });
  refuses([](EstimateInput& in) { in.link_bytes_per_second = 0; });
  refuses([](EstimateInput& in) { in.rtt_seconds = std::nan(""); });
  refuses([](EstimateInput& in) { in.cached_share = 1.5; });
  refuses([](EstimateInput& in) { in.devices = std::numeric_limits<double>::infinity(); });
  refuses([](EstimateInput& in) { in.hooks[0].bytes_per_second = 0; });
  refuses([](EstimateInput& in) { in.hooks[0].setup_seconds = -1; });
}

TEST(Estimate, PictureHasABarForEachWay) {
  const EstimateInput in = example();
  const auto all = estimate(in);
  const std::string svg = estimate_svg(in, *all);
  for (const Approach& approach : *all) EXPECT_NE(svg.find(approach.name), std::string::npos);
  EXPECT_EQ(svg.rfind("</svg>\n"), svg.size() - 7);
}

TEST(Estimate, DefaultsHaveEveryHookOnce) {
  const EstimateInput in = default_estimate();
  ASSERT_GE(in.hooks.size(), 6U);
  EXPECT_TRUE(estimate(in).ok());
}

}  // namespace
}  // namespace grapnel::api
