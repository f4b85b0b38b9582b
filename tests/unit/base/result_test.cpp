#include "base/result.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/unique_fd.h"

namespace grapnel {
namespace {

Error refusal() {
  Error error;
  error.kind = ErrorKind::refused;
  error.message = "no such function";
  error.hint = "try another";
  return error;
}

Result<int> half(int value) {
  if (value % 2 != 0) return refusal();
  return value / 2;
}

Result<int> quarter(int value) {
  GRAPNEL_TRY(const int first, half(value));
  GRAPNEL_TRY(const int second, half(first));
  return second;
}

Status check_quarter(int value) {
  GRAPNEL_CHECK(quarter(value));
  return ok_status();
}

TEST(Result, CarriesValuesAndErrors) {
  EXPECT_EQ(*quarter(12), 3);
  ASSERT_FALSE(quarter(6).ok());
  EXPECT_EQ(quarter(6).error().kind, ErrorKind::refused);
  EXPECT_TRUE(check_quarter(8).ok());
  EXPECT_FALSE(check_quarter(2).ok());
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 7);
}

TEST(Error, TextHasErrnoAndHint) {
  EXPECT_EQ(refusal().to_string(), "no such function\n  hint: try another");
  const std::string text = Error::system("cannot open 'x'", ENOENT).to_string();
  EXPECT_EQ(text, "cannot open 'x': No such file or directory (ENOENT)");
}

TEST(UniqueFd, ClosesOnce) {
  UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd.valid());
  const int number = fd.get();
  UniqueFd other = std::move(fd);
  EXPECT_EQ(other.get(), number);
  EXPECT_NE(::fcntl(number, F_GETFD), -1);
  other.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace grapnel
