#include "cli/writers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "result_table.h"

namespace grapnel::cli {
namespace {

using op::Datum;
using op::Type;
using op::TypeKind;
using Rows = std::vector<std::vector<Datum>>;

const std::vector<op::OutputColumn> kColumns{{"name", Type::of(TypeKind::varchar)},
                                             {"n", Type::of(TypeKind::integer)},
                                             {"ok", Type::of(TypeKind::boolean)}};

class Stream {
 public:
  explicit Stream(FILE* file) : file_(file) {
    if (file == nullptr) std::abort();
  }
  ~Stream() { std::fclose(file_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  [[nodiscard]] int fd() const { return ::fileno(file_); }

 private:
  FILE* file_;
};

/// What a writer puts out for `rows`, in batches of `batch_rows`.
std::string written(OutputFormat format, const Rows& rows, TerminalSize terminal = {},
                    const std::vector<op::OutputColumn>& columns = kColumns,
                    size_t batch_rows = 1000) {
  const Stream file(std::tmpfile());
  Output output(file.fd());
  ArrowSchema schema;
  engine::export_schema(columns, &schema);
  const auto writer = make_writer(format, output, terminal);
  writer->begin(schema);
  for (size_t begin = 0; begin < rows.size(); begin += batch_rows) {
    const auto first = rows.begin() + static_cast<ptrdiff_t>(begin);
    const size_t count = std::min(rows.size() - begin, batch_rows);
    ArrowArray batch =
        test::make_batch(columns, Rows(first, first + static_cast<ptrdiff_t>(count)));
    writer->add(batch);
    batch.release(&batch);
  }
  writer->end();
  EXPECT_FALSE(output.finish().has_value());
  schema.release(&schema);
  std::string text(static_cast<size_t>(::lseek(file.fd(), 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(file.fd(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

Rows three_rows() {
  return {{Datum::of_text("Ada, \"Lady\""), Datum::of_integer(36), Datum::of_bool(true)},
          {Datum::of_text(""), Datum::null(), Datum::null()},
          {Datum::null(), Datum::of_integer(-7), Datum::of_bool(false)}};
}

TEST(CsvWriter, QuotesWhatMustBe) {
  EXPECT_EQ(written(OutputFormat::csv, three_rows()),
            "name,n,ok\n"
            "\"Ada, \"\"Lady\"\"\",36,true\n"
            "\"\",,\n"
            ",-7,false\n");
  EXPECT_EQ(
      written(OutputFormat::csv, {{Datum::of_text("two\nlines"), Datum::null(), Datum::null()}}),
      "name,n,ok\n\"two\nlines\",,\n");
}

TEST(CsvWriter, NoRowsIsTheHeader) { EXPECT_EQ(written(OutputFormat::csv, {}), "name,n,ok\n"); }

TEST(JsonWriter, OneObjectPerLine) {
  EXPECT_EQ(written(OutputFormat::json, three_rows()),
            "[\n"
            "{\"name\": \"Ada, \\\"Lady\\\"\", \"n\": 36, \"ok\": true},\n"
            "{\"name\": \"\", \"n\": null, \"ok\": null},\n"
            "{\"name\": null, \"n\": -7, \"ok\": false}\n"
            "]\n");
  EXPECT_EQ(written(OutputFormat::json, {}), "[]\n");
}

TEST(JsonWriter, BatchesJoin) {
  EXPECT_EQ(written(OutputFormat::json, three_rows(), {}, kColumns, 1),
            written(OutputFormat::json, three_rows()));
}

TEST(JsonWriter, KeysAreUnique) {
  const std::vector<op::OutputColumn> columns{{"a", Type::of(TypeKind::integer)},
                                              {"a", Type::of(TypeKind::integer)},
                                              {"a_1", Type::of(TypeKind::integer)}};
  const Rows rows{{Datum::of_integer(1), Datum::of_integer(2), Datum::of_integer(3)}};
  EXPECT_EQ(written(OutputFormat::json, rows, {}, columns),
            "[\n{\"a\": 1, \"a_1\": 2, \"a_1_1\": 3}\n]\n");
}

TEST(JsonWriter, NumbersThatJsonHasNot) {
  const std::vector<op::OutputColumn> columns{{"x", Type::of(TypeKind::real)},
                                              {"d", Type::decimal(38, 2)}};
  const Rows rows{{Datum::of_real(__builtin_nan("")), Datum::of_integer(power_of_ten(37))},
                  {Datum::of_real(-__builtin_inf()), Datum::of_integer(5)},
                  {Datum::of_real(1e300), Datum::of_integer(-5)}};
  EXPECT_EQ(written(OutputFormat::json, rows, {}, columns),
            "[\n{\"x\": \"nan\", \"d\": 100000000000000000000000000000000000.00},\n"
            "{\"x\": \"-inf\", \"d\": 0.05},\n{\"x\": 1e+300, \"d\": -0.05}\n]\n");
}

TEST(JsonStrings, Escapes) {
  std::string text;
  append_json_string(text, "\"\\\n\t\x01 \xC3\xA9 \xFF");
  EXPECT_EQ(text, "\"\\\"\\\\\\n\\t\\u0001 \xC3\xA9 \xEF\xBF\xBD\"");
}

TEST(TableWriter, Aligns) {
  EXPECT_EQ(written(OutputFormat::table, three_rows()),
            " name        |    n | ok\n"
            "-------------+------+-------\n"
            " Ada, \"Lady\" |   36 | true\n"
            "             | NULL | NULL\n"
            " NULL        |   -7 | false\n");
  EXPECT_EQ(written(OutputFormat::table, {}), " name | n | ok\n------+---+----\n");
}

TEST(TableWriter, ControlCharactersCannotBreakIt) {
  const Rows rows{{Datum::of_text("a\nb\x1b[2J"), Datum::null(), Datum::null()}};
  const std::string text = written(OutputFormat::table, rows);
  EXPECT_NE(text.find("a\\nb\\x1b[2J"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(TableWriter, CutsOnTerminalsOnly) {
  const std::string wide(60, 'x');
  Rows rows;
  for (int i = 0; i < 500; i++) {
    rows.push_back({Datum::of_text(wide), Datum::of_integer(123456789 + i), Datum::of_bool(true)});
  }
  const std::string cut = written(OutputFormat::table, rows, {40, 20});
  EXPECT_NE(cut.find("460 of 500 rows not shown"), std::string::npos);
  EXPECT_NE(cut.find("123456789"), std::string::npos);  // digits are never cut
  EXPECT_NE(cut.find("x…"), std::string::npos);
  const std::string whole = written(OutputFormat::table, rows);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 502);
  EXPECT_EQ(whole.find("…"), std::string::npos);
}

TEST(Output, WriteErrorsAreReported) {
  const Stream full(std::fopen("/dev/full", "w"));
  Output output(full.fd());
  output.write("text");
  const auto error = output.finish();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->system_errno, ENOSPC);
}

}  // namespace
}  // namespace grapnel::cli
