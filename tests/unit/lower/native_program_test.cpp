// Which program is made; and that damaged objects are refused, not run.
#include <random>

#include "lower/compile.h"
#include "lower/native/native_abi.h"
#include "lower/native/object_loader.h"
#include "lower_fixture.h"

namespace grapnel::lower_test {
namespace {

using lower::native::LoadedObject;
using op::Type;
using op::TypeKind;

class NativeProgramTest : public testing::Test {
 protected:
  std::shared_ptr<const program::Job> job(const std::string& sql) {
    static const TableOptions kTable = {source::Format::csv,
                                        ',',
                                        '"',
                                        {{"n", Type::of(TypeKind::bigint)},
                                         {"r", Type::of(TypeKind::real)},
                                         {"v", Type::of(TypeKind::varchar)}}};
    return *make_job(open_table(directory_.write("table.csv", kContent), kTable), sql);
  }
  static constexpr const char* kContent = "1,1.5,a\n2,2.5,b\n";
  Directory directory_;
};

TEST_F(NativeProgramTest, NamesSayWhatRuns) {
  GRAPNEL_NEEDS_COMPILER();
  const auto query = job("SELECT sum(n) FROM 'table.csv'");
  for (const std::string& level : supported_levels())
    EXPECT_EQ((*make_native(query, level))->name(), "native " + level);
  lower::native::Options options;
  options.level = "interpreter";
  EXPECT_EQ((*lower::native::make_native(query, options))->name(), "interpreter");
}

TEST_F(NativeProgramTest, WhatCannotBeLoweredRunsOnTheInterpreterAndSaysSo) {
  lower::native::Options options;
  options.cache = &test_cache();
  lower::native::Report report;
  const auto query = job("SELECT sum(r % 2.0) FROM 'table.csv'");
  const auto made = lower::native::make_native(query, options, &report);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ((*made)->name(), "interpreter: % of DOUBLE is left to the interpreter");
  EXPECT_NE(run(**made, *query, kContent).text.find("2 records"), std::string::npos);
  options.strict = true;
  EXPECT_FALSE(lower::native::make_native(query, options).ok());
}

TEST_F(NativeProgramTest, UnknownLevelsAreRefused) {
  lower::native::Options options;
  options.level = "mmx";
  const auto made = lower::native::make_native(job("SELECT sum(n) FROM 'table.csv'"), options);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().kind, ErrorKind::usage);
  EXPECT_NE(made.error().hint.find("avx512, avx2, plain"), std::string::npos);
}

TEST_F(NativeProgramTest, TheEnvironmentForcesALevel) {
  GRAPNEL_NEEDS_COMPILER();
  setenv("GRAPNEL_NATIVE", "plain", 1);
  lower::native::Options options;
  options.cache = &test_cache();
  const auto made = lower::native::make_native(job("SELECT sum(n) FROM 'table.csv'"), options);
  unsetenv("GRAPNEL_NATIVE");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ((*made)->name(), "native plain");
}

TEST_F(NativeProgramTest, TooManyGroupsAreAnError) {
  GRAPNEL_NEEDS_COMPILER();
  auto limited = std::make_shared<program::Job>();
  const auto query = job("SELECT n, count(*) FROM 'table.csv' GROUP BY n");
  limited->source = query->source;
  limited->op = query->op;
  limited->layout = query->layout;
  limited->max_groups = 1;
  const auto made = make_native(limited, "plain");
  ASSERT_TRUE(made.ok());
  const RunResult result = run(**made, *limited, kContent);
  EXPECT_NE(result.text.find("more than 1 groups"), std::string::npos) << result.text;
}

TEST_F(NativeProgramTest, RunnersShareAProgram) {
  GRAPNEL_NEEDS_COMPILER();
  const auto query = job("SELECT v, sum(n) FROM 'table.csv' GROUP BY v");
  const auto made = make_native(query, supported_levels()[0]);
  ASSERT_TRUE(made.ok());
  const std::string first = run(**made, *query, kContent).text;
  EXPECT_EQ(run(**made, *query, kContent).text, first);
  // One runner, two partials in turn: the second does not get the first one's groups.
  const auto runner = (*made)->make_runner();
  for (int i = 0; i < 2; i++) {
    state::Partial partial = query->make_partial();
    const GuardedBuffer buffer(strlen(kContent), false);
    memcpy(buffer.data(), kContent, buffer.size());
    program::Block block{buffer.data(), buffer.size(), 0, true};
    ASSERT_TRUE(runner->run(block, partial).ok());
    EXPECT_EQ(show(partial), first);
  }
}

TEST_F(NativeProgramTest, WhatTheCompilerCannotReadIsAnError) {
  GRAPNEL_NEEDS_COMPILER();
  const auto query = job("SELECT sum(n) FROM 'table.csv'");
  const auto plan = lower::make_plan(*query, lower::Target::native);
  const lower::ObjectCache no_cache = lower::ObjectCache::open_directory("");
  const std::string_view good =
      (*lower::native::find_level("plain"))->record_template(source::Format::csv);
  const std::string_view lines =
      (*lower::native::find_level("plain"))->record_template(source::Format::lines);
  // No bitcode, cut off bitcode, a template that lacks the loader of decimals.
  for (const std::string_view bytes : {std::string_view("no bitcode"), good.substr(0, 1000), {}}) {
    const lower::CompileRequest request{
        .plan = *plan, .record_template = bytes, .machine = "plain", .entry = GR_SCAN_ENTRY};
    const auto object = lower::compile(request, no_cache);
    ASSERT_FALSE(object.ok());
    EXPECT_EQ(object.error().kind, ErrorKind::internal);
  }
  const auto doubles = job("SELECT sum(r) FROM 'table.csv'");
  const auto other = lower::make_plan(*doubles, lower::Target::native);
  const lower::CompileRequest request{
      .plan = *other, .record_template = lines, .machine = "plain", .entry = GR_SCAN_ENTRY};
  const auto object = lower::compile(request, no_cache);
  ASSERT_FALSE(object.ok());
  EXPECT_NE(object.error().message.find("the template lacks gr_load_double"), std::string::npos)
      << object.error().message;
  // A plan for the other target.
  const auto bpf_plan = lower::make_plan(*query, lower::Target::bpf);
  const lower::CompileRequest mixed{
      .plan = *bpf_plan, .record_template = good, .machine = "plain", .entry = GR_SCAN_ENTRY};
  EXPECT_FALSE(lower::compile(mixed, no_cache).ok());
}

class ObjectLoaderTest : public NativeProgramTest {
 protected:
  std::string object() {
    const auto query = job("SELECT v, sum(n) FROM 'table.csv' WHERE r > 1.0 GROUP BY v");
    const auto plan = lower::make_plan(*query, lower::Target::native);
    const auto level = lower::native::find_level("plain");
    const lower::CompileRequest request{
        .plan = *plan,
        .record_template = (*level)->record_template(source::Format::csv),
        .machine = "plain",
        .entry = GR_SCAN_ENTRY};
    auto compiled = lower::compile(request, test_cache());
    EXPECT_TRUE(compiled.ok()) << compiled.error().to_string();
    return compiled->bytes;
  }
};

TEST_F(ObjectLoaderTest, LoadsAndFindsTheEntry) {
  GRAPNEL_NEEDS_COMPILER();
  const std::string bytes = object();
  const auto loaded = LoadedObject::load(bytes, GR_SCAN_ENTRY);
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
  EXPECT_NE((*loaded)->entry(), nullptr);
  EXPECT_FALSE(LoadedObject::load(bytes, "no_such_entry").ok());
  EXPECT_FALSE(LoadedObject::load(bytes, "gr_scan_record").ok());
}

TEST_F(ObjectLoaderTest, CutOffAndDamagedObjectsDoNoHarm) {
  GRAPNEL_NEEDS_COMPILER();
  const std::string bytes = object();
  for (size_t size = 0; size < bytes.size(); size += 7)
    EXPECT_FALSE(LoadedObject::load(std::string_view(bytes).substr(0, size), GR_SCAN_ENTRY).ok());
  std::mt19937_64 random(1);
  for (int i = 0; i < 3000; i++) {
    std::string damaged = bytes;
    for (int k = 0; k < 3; k++) damaged[random() % damaged.size()] = static_cast<char>(random());
    // It may load (the change may lie in code) or be refused; reading beyond its bytes would crash.
    (void)LoadedObject::load(std::string(damaged), GR_SCAN_ENTRY).ok();
  }
}

}  // namespace
}  // namespace grapnel::lower_test
