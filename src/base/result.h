// Errors are values. A function that can fail returns Result<T>; the caller must look at it.
// No exception crosses a module's edge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace grapnel {

/// What went wrong, in the classes that callers treat differently.
enum class ErrorKind : uint8_t {
  usage,       ///< wrong command line or option
  refused,     ///< SQL that is wrong or not supported; nothing has been read
  data,        ///< the file's bytes do not fit the declared or sniffed schema
  limit,       ///< a limit of grapnel was reached (line length, groups, memory)
  io,          ///< a system call failed; `system_errno` says how
  permission,  ///< a right is missing
  changed,     ///< the file shrank, was replaced, or was written to during the scan
  hook,        ///< the hook that was forced cannot do this query, file or kernel
  cancelled,   ///< the caller asked to stop
  network,     ///< the server cannot be reached or the connection broke
  internal     ///< a bug in grapnel
};

/// One error. `message` says what failed and where, `hint` the likely cause and the cure.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
  std::string hint;
  int system_errno = 0;
  /// Byte offset into the SQL text, if the error belongs to a place there.
  std::optional<uint32_t> sql_offset = std::nullopt;

  /// An io error with errno's name and text appended to `what`.
  static Error system(std::string what, int error_number, std::string hint = {});

  /// message, errno and hint in the form that a person reads ("...\n  hint: ...").
  [[nodiscard]] std::string to_string() const;
};

/// Marks "success without a value".
struct Unit {};

/// A value or an Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  using Value = T;  // NOLINTBEGIN(google-explicit-constructor): implicit on purpose
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(content_); }
  const T& value() const& { return std::get<0>(content_); }
  T&& value() && { return std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(content_); }
  const Error& error() const& { return std::get<1>(content_); }
  Error&& error() && { return std::get<1>(std::move(content_)); }

 private:
  std::variant<T, Error> content_;
};

using Status = Result<Unit>;
inline Status ok_status() { return Unit{}; }

}  // namespace grapnel

#define GRAPNEL_CONCAT_INNER(a, b) a##b
#define GRAPNEL_CONCAT(a, b) GRAPNEL_CONCAT_INNER(a, b)

/// Declares `variable` from a Result, or returns its error from the enclosing function.
#define GRAPNEL_TRY(variable, expression) \
  GRAPNEL_TRY_INNER(GRAPNEL_CONCAT(grapnel_result_, __LINE__), variable, expression)
#define GRAPNEL_TRY_INNER(result, variable, expression) \
  auto result = (expression);                           \
  if (!result.ok()) return std::move(result).error();   \
  variable = std::move(result).value()

/// Returns the error of a Status from the enclosing function, if there is one.
#define GRAPNEL_CHECK(expression)                                 \
  do {                                                            \
    if (auto grapnel_status = (expression); !grapnel_status.ok()) \
      return std::move(grapnel_status).error();                   \
  } while (false)
