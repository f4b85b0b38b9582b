// Which paths and options are taken, and what is said about the others.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "source_test.h"

namespace grapnel::source {
namespace {

using namespace std::string_view_literals;

class OpenTest : public ::testing::Test {
 protected:
  Error refusal(const TableRequest& request, const OpenOptions& options = {}) {
    auto source = open_source(request, options);
    EXPECT_FALSE(source.ok()) << request.path;
    return source.ok() ? Error{} : source.error();
  }
  Error refusal(std::string_view name) { return refusal(request_of(directory_.path(name))); }

  TestDirectory directory_;
};

void expect_in(std::string_view part, const std::string& text) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(OpenTest, ReaderByNameOrByWord) {
  const std::string path = directory_.write("t.CSV", "a,b\n1,2\n");
  EXPECT_TRUE(open_source(request_of(path), {}).ok());
  directory_.write("t.log", "a,b\n1,2\n");
  const Error error = refusal("t.log");
  EXPECT_EQ(error.kind, ErrorKind::usage);
  expect_in("lines('", error.hint);
  directory_.write("t.csv.gz", "");
  expect_in("decompress", refusal("t.csv.gz").hint);
  directory_.write("noname", "");
  expect_in("csv('", refusal("noname").hint);
  TableRequest request = request_of(directory_.path("t.log"));
  request.format = Format::csv;
  EXPECT_TRUE(open_source(request, {}).ok());
}

TEST_F(OpenTest, OnlyRegularFiles) {
  ASSERT_EQ(mkdir(directory_.path("d.csv").c_str(), 0700), 0);
  expect_in("a directory", refusal("d.csv").message);
  ASSERT_EQ(mkfifo(directory_.path("f.csv").c_str(), 0600), 0);
  expect_in("a pipe (FIFO)", refusal("f.csv").message);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = directory_.path("s.csv");
  if (name.size() < sizeof address.sun_path) {
    name.copy(address.sun_path, name.size());
    ASSERT_EQ(bind(listener, reinterpret_cast<struct sockaddr*>(&address), sizeof address), 0);
    expect_in("a socket", refusal("s.csv").message);
  }
  close(listener);
  TableRequest null = request_of("/dev/null");
  null.format = Format::csv;
  expect_in("a character device", refusal(null).message);
}

TEST_F(OpenTest, FilesMadeUpAsTheyAreRead) {
  TableRequest request = request_of("/proc/self/status");
  request.format = Format::lines;
  const Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::data);
  expect_in("/proc", error.hint);
  // Files of /sys claim 4096 bytes.
  request.path = "/sys/kernel/mm/transparent_hugepage/enabled";
  if (access(request.path.c_str(), R_OK) == 0) expect_in("/sys", refusal(request).hint);
}

TEST_F(OpenTest, MissingAndUnreadableFiles) {
  const Error missing = refusal("missing.csv");
  EXPECT_EQ(missing.kind, ErrorKind::io);
  EXPECT_EQ(missing.system_errno, ENOENT);
  if (geteuid() != 0) {
    chmod(directory_.write("secret.csv", "a\n").c_str(), 0);
    EXPECT_EQ(refusal("secret.csv").kind, ErrorKind::permission);
  }
}

TEST_F(OpenTest, DescriptorIsClosedOnExecAndBlocking) {
  const auto source = open_source(request_of(directory_.write("t.csv", "a,b\n1,2\n")), {});
  ASSERT_TRUE(source.ok());
  EXPECT_NE(fcntl((*source)->file.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(fcntl((*source)->file.get(), F_GETFL) & O_NONBLOCK, 0);
  struct stat status = {};
  ASSERT_EQ(fstat((*source)->file.get(), &status), 0);
  EXPECT_EQ((*source)->identity.inode, status.st_ino);
  EXPECT_EQ((*source)->identity.size, 8u);
}

TEST_F(OpenTest, ServedPathsStayBelowTheDirectory) {
  const std::string outside = directory_.write("outside.csv", "a,b\n1,2\n");
  const std::string root = directory_.path("root");
  ASSERT_EQ(mkdir(root.c_str(), 0700), 0);
  ASSERT_EQ(mkdir((root + "/sub").c_str(), 0700), 0);
  directory_.write("root/in.csv", "a,b\n1,2\n");
  ASSERT_EQ(symlink("../outside.csv", (root + "/link.csv").c_str()), 0);
  ASSERT_EQ(symlink(outside.c_str(), (root + "/absolute.csv").c_str()), 0);
  ASSERT_EQ(symlink("../in.csv", (root + "/sub/good.csv").c_str()), 0);
  ASSERT_EQ(symlink("loop.csv", (root + "/loop.csv").c_str()), 0);
  ASSERT_EQ(symlink("/proc/self/root/etc", (root + "/magic").c_str()), 0);
  const UniqueFd fd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const OpenOptions options{fd.get(), true};
  EXPECT_TRUE(open_source(request_of("in.csv"), options).ok());
  EXPECT_TRUE(open_source(request_of("sub/../in.csv"), options).ok());
  EXPECT_TRUE(open_source(request_of("sub/good.csv"), options).ok());
  for (const std::string path :
       {"../outside.csv", "link.csv", "absolute.csv", "sub/../../outside.csv", "/etc/passwd.csv"}) {
    const Error error = refusal(request_of(path), options);
    EXPECT_EQ(error.kind, ErrorKind::permission) << path;
    expect_in("leads out of the directory", error.message);
  }
  EXPECT_EQ(refusal(request_of("loop.csv"), options).system_errno, ELOOP);
  TableRequest magic = request_of("magic/passwd");
  magic.format = Format::lines;
  EXPECT_FALSE(open_source(magic, options).ok());
  magic.path = outside;
  EXPECT_EQ(refusal(magic, options).kind, ErrorKind::permission);
}

TEST_F(OpenTest, BinaryDataIsNamed) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"\x1f\x8b\x08\x00"sv, "gzip"},
      {"\x28\xb5\x2f\xfd\x00"sv, "zstd"},
      {"PAR1\x15\x04"sv, "Parquet"},
      {"PK\x03\x04\x14"sv, "zip"},
      {"\xff\xfe"
       "a\0"sv,
       "UTF-16"},
      {"SQLite format 3\0"sv, "SQLite"},
  };
  for (const auto& [bytes, what] : cases) {
    directory_.write("t.csv", bytes);
    const Error error = refusal("t.csv");
    EXPECT_EQ(error.kind, ErrorKind::data);
    expect_in(what, error.message);
    EXPECT_FALSE(error.hint.empty());
    TableRequest lines = request_of(directory_.path("t.csv"));
    lines.format = Format::lines;
    expect_in(what, refusal(lines).message);
  }
  directory_.write("t.csv", "a,b\n1,x\0y\n"sv);
  expect_in("line 2, byte offset 7: a NUL byte", refusal("t.csv").message);
}

TEST_F(OpenTest, EmptyFiles) {
  for (const std::string_view content : {""sv, "\n\r\n"sv, "\xef\xbb\xbf"sv}) {
    const std::string path = directory_.write("t.csv", content);
    const Error error = refusal("t.csv");
    EXPECT_EQ(error.kind, ErrorKind::data);
    expect_in("columns =>", error.hint);
    TableRequest request = request_of(path);
    request.columns = {{"a", kBigint}, {"b", kVarchar}};
    const auto source = open_source(request, {});
    ASSERT_TRUE(source.ok()) << source.error().to_string();
    EXPECT_TRUE(rows_of(**source).empty());
  }
}

TEST_F(OpenTest, OptionsThatCannotBe) {
  const std::string path = directory_.write("t.csv", "a,b\n1,2\n");
  for (const char delimiter : {'\n', 'x', '1', '-', '.', '\0', '\xc3'}) {
    TableRequest request = request_of(path);
    request.delimiter = delimiter;
    EXPECT_EQ(refusal(request).kind, ErrorKind::usage);
  }
  TableRequest same = request_of(path);
  same.delimiter = same.quote = '|';
  EXPECT_EQ(refusal(same).kind, ErrorKind::usage);
  TableRequest lines = request_of(path);
  lines.format = Format::lines;
  lines.header = true;
  EXPECT_EQ(refusal(lines).kind, ErrorKind::usage);
  TableRequest none = request_of(path);
  none.columns = std::vector<Column>{};
  EXPECT_EQ(refusal(none).kind, ErrorKind::usage);
  TableRequest many = request_of(path);
  many.columns = std::vector<Column>(5000, {"x", kBigint});
  EXPECT_EQ(refusal(many).kind, ErrorKind::limit);
  TableRequest nul = request_of(std::string("t\0.csv", 6));
  EXPECT_EQ(refusal(nul).kind, ErrorKind::usage);
}

TEST_F(OpenTest, DescriptionCanBePasted) {
  const auto csv =
      open_source(request_of(directory_.write("it's.tsv", "id\tA \"q\"\n1\t2.50\n")), {});
  ASSERT_TRUE(csv.ok()) << csv.error().to_string();
  std::string path = directory_.path("it''s.tsv");
  EXPECT_EQ(describe(**csv), "-- csv, 2 columns, 16 bytes\ncsv('" + path +
                                 "', delim => '\\t', quote => '', header => true, columns => '"
                                 "id BIGINT,\n\"A \"\"q\"\"\" DECIMAL(18,2)')\n");
  EXPECT_EQ(table_expression(**csv),
            "csv('" + path +
                "', delim => '\\t', quote => '', header => true, columns => '"
                "id BIGINT, \"A \"\"q\"\"\" DECIMAL(18,2)')");
  TableRequest lines = request_of(directory_.write("a.log", "x\n"));
  lines.format = Format::lines;
  EXPECT_EQ(describe(**open_source(lines, {})),
            "-- lines, 2 columns, 2 bytes\nlines('" + directory_.path("a.log") + "')\n");
  TableRequest fixed = request_of(directory_.write("a.bin", "12345678"));
  fixed.format = Format::fixed;
  fixed.columns = {{"i", type_of(op::TypeKind::integer)}};
  EXPECT_EQ(describe(**open_source(fixed, {})),
            "-- fixed, 1 column, 8 bytes, 2 records of 4 bytes\nfixed('" +
                directory_.path("a.bin") + "', columns => 'i INTEGER')\n");
}

}  // namespace
}  // namespace grapnel::source
