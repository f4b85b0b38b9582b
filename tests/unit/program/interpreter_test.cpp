#include "program/interpreter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace grapnel::program {
namespace {

using op::AggregateKind;
using op::Datum;
using op::ExprPtr;
using op::Function;
using op::Type;
using op::TypeKind;

constexpr Type kBoolean = Type::of(TypeKind::boolean);
constexpr Type kInteger = Type::of(TypeKind::integer);
constexpr Type kBigint = Type::of(TypeKind::bigint);
constexpr Type kVarchar = Type::of(TypeKind::varchar);

/// Of this process alone: several run at once.
struct Folder {
  std::string path;
  Folder() {
    const char* base = std::getenv("GRAPNEL_TEST_TMP");
    path = std::string(base != nullptr ? base : "/tmp") + "/interpreter-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

/// A file with `text`, opened as `request` says; its path is filled in.
std::shared_ptr<const source::Source> table(std::string_view text, source::TableRequest request) {
  static const Folder folder;
  static int number = 0;
  request.path = folder.path + "/" + std::to_string(number++) + ".txt";
  std::ofstream(request.path, std::ios::binary) << text;
  auto source = source::open_source(request, {});
  EXPECT_TRUE(source.ok()) << source.error().to_string();
  return *source;
}

source::TableRequest csv(std::vector<source::Column> columns) {
  source::TableRequest request;
  request.format = source::Format::csv;
  request.delimiter = '|';
  request.header = false;
  request.columns = std::move(columns);
  return request;
}

std::vector<source::Column> number_and_name() {
  std::vector<source::Column> columns(2);
  columns[0].name = "number";
  columns[0].type = kInteger;
  columns[1].name = "name";
  columns[1].type = kVarchar;
  return columns;
}

/// SELECT number, name.
op::Op select_both() {
  op::Op op;
  op.outputs = {op::make_column(0, kInteger), op::make_column(1, kVarchar)};
  return op;
}

/// SELECT count(*), sum(number) GROUP BY name.
op::Op sum_by_name() {
  op::Op op;
  op.aggregating = true;
  op.keys = {op::make_column(1, kVarchar)};
  op.aggregates = {{AggregateKind::count_rows, nullptr, kBigint},
                   {AggregateKind::sum, op::make_column(0, kInteger), Type::of(TypeKind::hugeint)}};
  return op;
}

std::shared_ptr<const Job> job_of(std::shared_ptr<const source::Source> source, op::Op op,
                                  size_t max_groups = 100) {
  auto job = std::make_shared<Job>();
  job->source = std::move(source);
  job->op = std::make_shared<op::Op>(std::move(op));
  job->layout = std::make_shared<state::StateLayout>(state::StateLayout::of(*job->op));
  job->max_groups = max_groups;
  return job;
}

struct BlockRun {
  std::shared_ptr<const Job> job;
  state::Partial partial;
  std::optional<BlockOutcome> outcome;
  std::optional<Error> error;

  BlockRun(std::shared_ptr<const Job> which, std::string_view text, bool last = true)
      : job(std::move(which)), partial(job->make_partial()) {
    const auto program = make_interpreter(job);
    Block block;
    block.data = text.data();
    block.size = text.size();
    block.last = last;
    auto result = program->make_runner()->run(block, partial);
    if (result)
      outcome = *result;
    else
      error = result.error();
  }

  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> texts;
    for (size_t row = 0; row < partial.rows.size(); row++) {
      std::string text = std::to_string(partial.rows.file_offsets[row]);
      for (size_t i = 0; i < job->op->outputs.size(); i++) {
        const Type type = job->op->outputs[i]->type;
        const Datum value = partial.rows.value(row, i, type);
        text += '|' + (value.is_null ? "NULL" : op::to_text(value, type));
      }
      texts.push_back(std::move(text));
    }
    return texts;
  }
};

using Rows = std::vector<std::string>;

TEST(Interpreter, RowsOfCsv) {
  constexpr std::string_view kText = "1|a\r\n\n2|\"x\"\"\n|y\"\n|\n-3|\xC3\xA9";
  const auto job = job_of(table(kText, csv(number_and_name())), select_both());
  const BlockRun run(job, kText);
  ASSERT_TRUE(run.outcome.has_value()) << run.error->to_string();
  EXPECT_EQ(run.rows(), (Rows{"0|1|a", "6|2|x\"\n|y", "17|NULL|NULL", "19|-3|\xC3\xA9"}));
  EXPECT_EQ(run.outcome->consumed, kText.size());
  EXPECT_EQ(run.outcome->records, 4U);
  EXPECT_EQ(run.partial.records, 4U);
  EXPECT_EQ(make_interpreter(job)->name(), "interpreter");
}

TEST(Interpreter, AnIncompleteRecordIsLeftForTheNextBlock) {
  constexpr std::string_view kText = "1|a\n2|b";
  const auto job = job_of(table(kText, csv(number_and_name())), select_both());
  const BlockRun middle(job, kText, false);
  ASSERT_TRUE(middle.outcome.has_value());
  EXPECT_EQ(middle.outcome->consumed, 4U);
  EXPECT_EQ(middle.rows(), Rows{"0|1|a"});
  const BlockRun last(job, kText, true);
  EXPECT_EQ(last.rows(), (Rows{"0|1|a", "4|2|b"}));
}

TEST(Interpreter, ABlankLineOfOneColumnIsARecord) {
  constexpr std::string_view kText = "1\n\n2\n";
  op::Op op;
  op.outputs = {op::make_column(0, kInteger)};
  auto columns = number_and_name();
  columns.pop_back();
  const BlockRun run(job_of(table(kText, csv(columns)), op), kText);
  EXPECT_EQ(run.rows(), (Rows{"0|1", "2|NULL", "3|2"}));
}

TEST(Interpreter, GroupsAreCountedAndSummed) {
  constexpr std::string_view kText = "1|a\n2|b\n3|a\n|b\n5|\n";
  const BlockRun run(job_of(table(kText, csv(number_and_name())), sum_by_name()), kText);
  ASSERT_TRUE(run.outcome.has_value()) << run.error->to_string();
  ASSERT_EQ(run.partial.groups.size(), 3U);
  const uint64_t* a = run.partial.groups.slots(0);
  EXPECT_EQ(a[state::kFirstOffsetSlot], 0U);
  EXPECT_EQ(a[state::kRecordCountSlot], 2U);
  EXPECT_TRUE(run.partial.finish(a, 1)->integer == 4);
  const uint64_t* b = run.partial.groups.slots(1);
  EXPECT_EQ(b[state::kFirstOffsetSlot], 4U);
  EXPECT_TRUE(run.partial.finish(b, 0)->integer == 2);
  EXPECT_TRUE(run.partial.finish(b, 1)->integer == 2);
  size_t position = 0;
  EXPECT_TRUE(state::decode_key(run.partial.groups.key(2), &position, kVarchar).is_null);
}

TEST(Interpreter, TheFilterRejectsAndFails) {
  constexpr std::string_view kText = "1|a\n0|b\n";
  const ExprPtr number = op::make_column(0, kInteger);
  const ExprPtr ten = op::make_constant(Datum::of_integer(10), kInteger);
  const ExprPtr five = op::make_constant(Datum::of_integer(5), kInteger);
  const ExprPtr zero = op::make_constant(Datum::of_integer(0), kInteger);
  op::Op op = select_both();
  op.filter = {
      op::make_call(Function::greater, kBoolean,
                    {op::make_call(Function::integer_divide, kInteger, {ten, number}), five})};
  const auto source = table(kText, csv(number_and_name()));
  const BlockRun fails(job_of(source, op), kText);
  ASSERT_TRUE(fails.error.has_value());
  EXPECT_EQ(fails.error->kind, ErrorKind::data);
  EXPECT_NE(fails.error->message.find("line 2"), std::string::npos) << fails.error->message;
  EXPECT_NE(fails.error->message.find("division by zero (10 // 0)"), std::string::npos);
  // A conjunct that rejects the record hides the failure.
  op.filter.push_back(op::make_call(Function::not_equal, kBoolean, {number, zero}));
  EXPECT_EQ(BlockRun(job_of(source, op), kText).rows(), Rows{"0|1|a"});
}

TEST(Interpreter, AnOutputThatFailsIsAnError) {
  constexpr std::string_view kText = "1|a\n0|b\n";
  op::Op op;
  op.outputs = {op::make_call(
      Function::integer_divide, kInteger,
      {op::make_constant(Datum::of_integer(10), kInteger), op::make_column(0, kInteger)})};
  const BlockRun run(job_of(table(kText, csv(number_and_name())), op), kText);
  ASSERT_TRUE(run.error.has_value());
  EXPECT_NE(run.error->message.find("line 2"), std::string::npos) << run.error->message;
  EXPECT_NE(run.error->message.find("division by zero (10 // 0)"), std::string::npos);
}

TEST(Interpreter, AFieldThatDoesNotParseNamesItsPlace) {
  constexpr std::string_view kText = "1|a\nx|b\n";
  const BlockRun run(job_of(table(kText, csv(number_and_name())), select_both()), kText);
  ASSERT_TRUE(run.error.has_value());
  EXPECT_EQ(run.error->kind, ErrorKind::data);
  for (const char* part : {"line 2", "number", "'x'", "INTEGER"})
    EXPECT_NE(run.error->message.find(part), std::string::npos) << run.error->message;
}

TEST(Interpreter, TooManyGroupsAreAnErrorThatNamesTheLimit) {
  constexpr std::string_view kText = "1|a\n2|b\n3|c\n";
  const BlockRun run(job_of(table(kText, csv(number_and_name())), sum_by_name(), 2), kText);
  ASSERT_TRUE(run.error.has_value());
  EXPECT_EQ(run.error->kind, ErrorKind::limit);
  EXPECT_EQ(run.error->message, "the query has more than 2 groups");
}

TEST(Interpreter, Lines) {
  constexpr std::string_view kText = "first\n\nthird";
  source::TableRequest request;
  request.format = source::Format::lines;
  op::Op op;
  op.outputs = {op::make_column(0, kVarchar), op::make_column(1, kBigint)};
  const BlockRun run(job_of(table(kText, request), op), kText);
  ASSERT_TRUE(run.outcome.has_value()) << run.error->to_string();
  EXPECT_EQ(run.rows(), (Rows{"0|first|0", "6||6", "7|third|7"}));
}

TEST(Interpreter, FixedRecords) {
  constexpr std::string_view kText("\x01\x00\x00\x00\xFF\x02\x00\x00\x00\x80", 10);
  source::TableRequest request;
  request.format = source::Format::fixed;
  std::vector<source::Column> columns(2);
  columns[0].name = "a";
  columns[0].type = kInteger;
  columns[1].name = "b";
  columns[1].type = Type::of(TypeKind::tinyint);
  request.columns = columns;
  op::Op op;
  op.outputs = {op::make_column(0, kInteger), op::make_column(1, columns[1].type)};
  const BlockRun run(job_of(table(kText, request), op), kText);
  ASSERT_TRUE(run.outcome.has_value()) << run.error->to_string();
  EXPECT_EQ(run.rows(), (Rows{"0|1|-1", "5|2|-128"}));
}

}  // namespace
}  // namespace grapnel::program
