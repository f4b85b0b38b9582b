#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "cli/estimate_arguments.h"

namespace grapnel::cli {
namespace {

Command parse(std::vector<std::string> words) {
  words.insert(words.begin(), "grapnel");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_arguments(static_cast<int>(words.size()), argv.data());
}

int exit_code(std::vector<std::string> words) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto command = parse(std::move(words));
  testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
  const auto* finished = std::get_if<Finished>(&command);
  return finished == nullptr ? -1 : finished->exit_code;
}

TEST(Arguments, Query) {
  const auto command =
      parse({"query", "--on", "h:1", "--hook", "pipe,any", "--threads", "3", "--format", "json",
             "--stats", "text", "--if-changed", "error", "--strict", "-q", "SELECT 1"});
  const auto& query = std::get<QueryCommand>(command);
  EXPECT_EQ(query.sql, "SELECT 1");
  EXPECT_EQ(query.on, "h:1");
  EXPECT_EQ(query.options.hook, "pipe");
  EXPECT_TRUE(query.options.allow_other_hooks);
  EXPECT_EQ(query.options.threads, 3U);
  EXPECT_EQ(query.options.if_changed, api::IfChanged::error);
  EXPECT_TRUE(query.options.strict);
  EXPECT_TRUE(query.quiet);
  EXPECT_EQ(query.format, OutputFormat::json);
  EXPECT_EQ(query.statistics, StatisticsFormat::text);
}

TEST(Arguments, Defaults) {
  const auto query = std::get<QueryCommand>(parse({"query", "SELECT 1"}));
  EXPECT_EQ(query.options.hook, "");
  EXPECT_FALSE(query.options.allow_other_hooks);
  EXPECT_EQ(query.options.threads, 0U);
  EXPECT_EQ(query.format, OutputFormat::table);
  const auto serve = std::get<ServeCommand>(parse({"serve", "--root", "/data"}));
  EXPECT_EQ(serve.options.listen, "127.0.0.1:31337");
  EXPECT_FALSE(serve.options.insecure);
  EXPECT_TRUE(std::holds_alternative<DoctorCommand>(parse({"doctor"})));
  const auto hooks = std::get<DoctorCommand>(parse({"doctor", "--hooks", "--format", "json"}));
  EXPECT_TRUE(hooks.hooks);
  EXPECT_EQ(hooks.format, OutputFormat::json);
  EXPECT_FALSE(hooks.tax);
  EXPECT_TRUE(std::get<DoctorCommand>(parse({"doctor", "--tax"})).tax);
  EXPECT_EQ(std::get<SchemaCommand>(parse({"schema", "f.csv"})).file, "f.csv");
}

TEST(Arguments, WhatIsGivenWinsInAnEstimate) {
  const auto command =
      std::get<EstimateCommand>(parse({"estimate", "--query", "SELECT 1", "--on", "h:1", "--size",
                                       "7B", "--connect", "tls", "--hook-rate", "mmap=3GB/s"}));
  EXPECT_EQ(command.on, "h:1");
  api::EstimateInput found;  // as if of the statement
  found.hooks = {{"read", 1e9, false}, {"mmap", 1e9, false}};
  ASSERT_FALSE(apply_given(command, found));
  EXPECT_EQ(found.file_bytes, 7);
  EXPECT_EQ(found.connect_round_trips, 2);
  EXPECT_EQ(found.hooks[0].bytes_per_second, 1e9);
  EXPECT_EQ(found.hooks[1].bytes_per_second, 3e9);
  found.hooks.pop_back();
  const auto wrong = apply_given(command, found);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->kind, api::ErrorKind::usage);
  EXPECT_NE(wrong->hint.find("read"), std::string::npos) << wrong->hint;
}

TEST(Arguments, StandardInput) {
  EXPECT_EQ(std::get<QueryCommand>(parse({"query", "-"})).sql, "-");
}

TEST(Arguments, Refused) {
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"query"},
                                                    {"nonsense"},
                                                    {"query", "--format", "xml", "SELECT 1"},
                                                    {"query", "--threads", "0", "SELECT 1"},
                                                    {"query", "--threads", "99999", "SELECT 1"},
                                                    {"query", "--hook", "pipe,some", "SELECT 1"},
                                                    {"query", "--hook", "", "SELECT 1"},
                                                    {"query", "--on", "", "SELECT 1"},
                                                    {"schema", "--on", "", "f.csv"},
                                                    {"where", "--on", "", "SELECT 1"},
                                                    {"calibrate", "--on", ""},
                                                    {"estimate", "--on", "", "--query", "SELECT 1"},
                                                    {"estimate", "--on", "h:1"},
                                                    {"estimate", "--hook-rate", "pipe"},
                                                    {"query", "SELECT 1", "SELECT 2"},
                                                    {"serve"},
                                                    {"doctor", "--on"},
                                                    {"doctor", "--hooks", "--tax"}};
  for (const auto& words : wrong) EXPECT_EQ(exit_code(words), kExitUsage);
}

TEST(Arguments, AnUnknownCommandIsNamed) {
  testing::internal::CaptureStderr();
  const auto command = parse({"SELECT 1"});
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::get<Finished>(command).exit_code, kExitUsage);
  EXPECT_NE(told.find("no command 'SELECT 1'"), std::string::npos) << told;
  for (const char* name : {" query", " schema", " serve", " doctor", " where", " calibrate"}) {
    EXPECT_NE(told.find(name), std::string::npos) << told;
  }
}

TEST(Arguments, HelpAndVersion) {
  EXPECT_EQ(exit_code({"--help"}), kExitOk);
  EXPECT_EQ(exit_code({"--version"}), kExitOk);
  EXPECT_EQ(exit_code({"query", "--help"}), kExitOk);
}

}  // namespace
}  // namespace grapnel::cli
