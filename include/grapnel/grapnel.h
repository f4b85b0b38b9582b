// grapnel's public interface: SQL on a file, run where the file lies.
//
//   auto connection = grapnel::api::Connection::embedded();
//   auto result = connection->execute("SELECT count(*) FROM 'lineitem.csv'");
//   if (!result) { std::cerr << result.error().to_string() << '\n'; return 1; }
//   ArrowArrayStream stream;
//   result->export_stream(&stream);       // or result->next(&array) batch by batch
//
// Results leave by the Arrow C stream interface (arrow_c_abi.h), so this header needs no Arrow, and
// a program that has its own Arrow keeps it. Everything else is plain C++17.
//
// Errors are values: nothing here throws but std::bad_alloc. Statics: none. Threads: objects of
// different identity may be used from different threads at the same time; one object from one
// thread at a time, except where a member says more.
//
// ABI: link the static library that was built with the same compiler and standard library as your
// program. What crosses into other languages or libraries is the Arrow C stream alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "grapnel/arrow_c_abi.h"

namespace grapnel::api {

/// "0.1.0"
const char* version();

// ---------------------------------------------------------------------------------------- errors

enum class ErrorKind : uint8_t {
  usage,       ///< an option or address that makes no sense
  refused,     ///< SQL that is wrong or not supported; nothing has been read
  data,        ///< bytes of the file do not fit the declared or sniffed schema, or overflow
  limit,       ///< a limit was reached (length of a line, number of groups, memory)
  io,          ///< a system call failed; see system_errno
  permission,  ///< a right is missing
  changed,     ///< the file shrank, was replaced, or was written to meanwhile
  hook,        ///< the hook that was forced cannot do this query, on this file, on this kernel
  cancelled,   ///< the caller asked to stop
  network,     ///< the server cannot be reached, or the connection broke
  internal,    ///< a bug in grapnel
};

/// "refused", "data", ...
const char* to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  ///< what failed, and where
  std::string hint;     ///< likely cause and cure; may be empty
  int system_errno = 0;
  std::optional<uint32_t> sql_offset;  ///< byte in the SQL text that the error belongs to

  /// Message, system error and hint, as a person reads them. No newline at the end.
  [[nodiscard]] std::string to_string() const;
  /// The same, with the line of `sql` and a caret under the place, if the error has one.
  [[nodiscard]] std::string to_string(std::string_view sql) const;
};

/// A value or an Error. value() and operator* need ok(), error() needs !ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  // NOLINTBEGIN(google-explicit-constructor): functions return a value or an Error as they are
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
  [[nodiscard]] const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

// --------------------------------------------------------------------------------------- queries

/// Asks queries to stop. cancel() may be called from any thread and from a signal handler; queries
/// that were given the token end with ErrorKind::cancelled within 100 ms.
class CancelToken {
 public:
  void cancel() noexcept { flag_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept { return flag_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::atomic<bool>& flag() const noexcept { return flag_; }

 private:
  std::atomic<bool> flag_{false};
};

struct Progress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  double seconds = 0;  ///< since the scan began
  std::string hook;    ///< in use now
};

/// What to do when the file has grown during the scan. (Shrunk, replaced, rewritten: always an
/// error.)
enum class IfChanged : uint8_t {
  warn,   ///< the result is that of the first N bytes; a warning says so
  error,  ///< the query fails with ErrorKind::changed
};

struct QueryOptions {
  std::string hook;                ///< "" = chosen by cost; else "read", "direct", "pipe", ...
  bool allow_other_hooks = false;  ///< false: a forced hook does all, or the query fails (hook)
  unsigned threads = 0;            ///< 0 = one per CPU that the process may use
  IfChanged if_changed = IfChanged::warn;
  bool strict = false;  ///< refuse a file whose stability cannot be vouched for (open for writing)
  // Limits that bind before any price; what they leave no way for is ErrorKind::hook, in words.
  bool no_kernel = false;    ///< no program of ours in the kernel
  bool polite = false;       ///< the page cache stays as it was found
  double max_cpus = 0;       ///< CPUs that may be busy on average: 0.5, 2; 0: no limit
  double max_cpu_share = 0;  ///< the same as a share of the CPUs there, 0 .. 1; 0: no limit
};

/// What one hook did. Bytes are bytes of the file.
struct HookStatistics {
  std::string name;
  uint64_t bytes = 0;  ///< whose records this hook computed
  uint64_t records = 0;
  uint64_t escapes = 0;  ///< records that its fast form handed to the exact form
  uint64_t escape_bytes = 0;
  uint64_t failed_extents = 0;  ///< handed to another hook
  uint64_t bytes_copied = 0;    ///< that crossed into user space
  uint64_t device_bytes = 0;    ///< asked from the device, as far as known
  double cpu_seconds = 0;
  /// Bytes that its program did not get to see, and the user-space program did instead.
  uint64_t rest_bytes = 0;
  // Of hooks in the kernel only:
  double load_seconds = 0;             ///< fetching, loading and attaching the programs
  double longest_run_seconds = 0;      ///< of the program in one go
  uint32_t verified_instructions = 0;  ///< that the kernel's verifier looked at
};

/// How a query went.
struct Statistics {
  std::string table;    ///< how the file was read: csv('f.tbl', delim => '|', columns => '...')
  std::string program;  ///< "native avx512", "interpreter"
  std::string hook;     ///< the one that computed most
  std::string why;      ///< why it was chosen
  std::vector<HookStatistics> hooks;
  HookStatistics stitched;  ///< records that crossed extents
  uint64_t file_bytes = 0;
  uint64_t records = 0;           ///< looked at
  uint64_t selected_records = 0;  ///< passed WHERE
  uint64_t result_rows = 0;
  uint64_t bytes_sent = 0;  ///< by the server, as the client counted them; 0 embedded
  unsigned threads = 0;
  double prepare_seconds = 0;  ///< SQL, opening, sniffing, choosing
  double compile_seconds = 0;  ///< making or loading the program
  double wall_seconds = 0;     ///< the scan
  double finish_seconds = 0;   ///< merging, sorting, output columns
  std::string stability;       ///< "leased", "checked", "open for writing"
  std::vector<std::string> warnings;

  /// One JSON object on one line: keys as above, `hooks` as an object from name to counters.
  [[nodiscard]] std::string to_json() const;
  /// Several lines for a person.
  [[nodiscard]] std::string to_text() const;
  /// Inverse of to_json; unknown keys are skipped. ErrorKind::data if it is not such an object.
  static Result<Statistics> from_json(std::string_view text);
};

/// One running query. Movable. The destructor stops what still runs.
class QueryResult {
 public:
  QueryResult(QueryResult&&) noexcept;
  QueryResult& operator=(QueryResult&&) noexcept;
  ~QueryResult();

  /// The result's schema: a struct ("+s") of the columns. Known before a byte is read. The caller
  /// releases `out`; on an error it is untouched.
  Result<std::monostate> schema(ArrowSchema* out);

  /// Next batch, at most 65536 rows; false at the end. The first call runs the scan and blocks
  /// until it is done (or cancelled). The caller releases `out`. After an error the rows that came
  /// before are void. Errors: any ErrorKind but usage and refused.
  Result<bool> next(ArrowArray* out);

  /// Moves the stream into `out`, which lives on without this object; next() and schema() must not
  /// be called any more, statistics() and error() still serve. get_next returns an errno and a
  /// text; the whole error is in error().
  void export_stream(ArrowArrayStream* out);

  /// Complete once next() or get_next has reported the end.
  [[nodiscard]] Statistics statistics() const;
  /// What made next() or get_next fail; none if nothing failed.
  [[nodiscard]] std::optional<Error> error() const;

  struct State;
  explicit QueryResult(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};

/// Reads one column of a batch as text, the way `grapnel query` prints it: decimals with full
/// scale, dates as YYYY-MM-DD, DOUBLE with the fewest digits that read back to the same value.
/// Borrows both structures.
class ColumnText {
 public:
  /// `schema` and `values` are children of the result's schema and of a batch.
  ColumnText(const ArrowSchema& schema, const ArrowArray& values);
  /// False for a type that grapnel's results do not have; then nothing else may be called.
  [[nodiscard]] bool supported() const { return kind_ != Kind::unsupported; }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_boolean() const { return kind_ == Kind::boolean; }
  [[nodiscard]] bool is_text() const { return kind_ == Kind::text; }
  [[nodiscard]] bool is_null(int64_t row) const;
  /// Appends the text of a value that is not NULL.
  void append(int64_t row, std::string& out) const;
  /// The bytes of a value that is not NULL, for is_text() columns. Borrowed from the batch.
  [[nodiscard]] std::string_view text(int64_t row) const;

 private:
  enum class Kind : uint8_t {
    unsupported,
    boolean,
    signed_integer,
    unsigned_integer,
    decimal,
    real,
    date,
    text,
  };
  const ArrowArray* values_;
  Kind kind_ = Kind::unsupported;
  uint8_t width_bytes_ = 0;
  uint8_t scale_ = 0;
};

/// Called about ten times a second from one thread while the scan runs; must not block.
using ProgressFunction = std::function<void(const Progress&)>;

/// A place where queries run: this process, or a server.
class Connection {
 public:
  /// In this process, with this process's rights; relative paths from the working directory.
  static Result<Connection> embedded();

  /// A server (`grapnel serve`), "HOST:PORT". Errors: usage (bad address), network (the message
  /// says what the address answered), io (the plugin libgrapnel-flight.so is not there).
  static Result<Connection> remote(const std::string& address);

  /// Starts a query: SELECT, EXPLAIN [ANALYZE] SELECT (one text column `plan`), EXPLAIN (FORMAT
  /// JSON) SELECT (a JSON object in one row, with all that is known about every hook), or DESCRIBE
  /// 'file' (column_name, column_type). Returns when the schema is fixed; reading happens in
  /// QueryResult::next. `cancel`, if given, must outlive the result. Errors: refused (with
  /// sql_offset), usage, io, permission, data (the file cannot be described), hook, network.
  Result<QueryResult> execute(std::string_view sql, const QueryOptions& options = {},
                              const CancelToken* cancel = nullptr,
                              ProgressFunction progress = nullptr);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  struct State;
  explicit Connection(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};

// ---------------------------------------------------------------------------------------- server

struct ServeOptions {
  std::string root;                        ///< paths of queries are relative to it and stay beneath
  std::string listen = "127.0.0.1:31337";  ///< port 0: any free one, see Server::address()
  bool insecure = false;  ///< needed for any address but loopback: no encryption, no passwords
  /// Queries that run at once; 0: none, the server only sends files. Clients that can compute
  /// themselves are told to do so instead of one more; others are refused.
  unsigned max_queries = 64;
  unsigned max_files = 64;  ///< files that are sent at once; one more is refused
};

/// A running server; stops when destroyed.
class Server {
 public:
  /// Listens from here on. Errors: usage (address, insecure missing), io (root, port, plugin).
  static Result<Server> start(const ServeOptions& options);
  /// "HOST:PORT" that it listens on.
  [[nodiscard]] std::string address() const;
  /// Ends running queries and closes; returns when no call runs any more. Any thread.
  void stop();

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// ------------------------------------------------------------------------------------- diagnosis

/// One thing that this machine, kernel and these rights permit or do not.
struct Finding {
  std::string topic;  ///< "kernel", "cpu", "hook pipe", "plugin jit", "cache", ...
  bool ok = true;
  std::string detail;  ///< what was found, or the reason why not
  std::string cure;    ///< what to do about it; empty if there is nothing
};

/// Probes everything; takes up to a second where hooks have to be tried out.
std::vector<Finding> diagnose();

/// A place in the kernel where programs like this one have hooked in over the years, or a means
/// that they have used, and what the running kernel answers. docs/hooks.md explains them.
struct AttachPoint {
  std::string kind;  ///< "function", "tracepoint", "helper", "program type"
  std::string name;
  std::string area;     ///< "block", "page cache", "sendfile", ...
  std::string since;    ///< release, as far as it matters; empty: always
  std::string until;    ///< last release in which it was of use; empty: still is
  std::string changed;  ///< what happened to it, with the kernel's commit
  std::string types;    ///< in the kernel's BTF: "yes", "no", "unknown"; empty: does not apply
  std::string symbol;   ///< "yes", "no", "unknown", "only NAME.part.0"; empty: does not apply
  struct Way {
    std::string name;  ///< "fentry", "kprobe", "tp_btf", "raw_tp"; "use" for helpers and types
    bool ok = false;
    std::string reason;  ///< why not
  };
  std::vector<Way> ways;  ///< a program that does nothing was attached, and detached again
};

/// Tries each of them; takes up to a few seconds. Nothing stays attached. Without rights it says
/// which ones are missing.
std::vector<AttachPoint> probe_attach_points();

/// What a hook costs those who have nothing to do with it while it is at work, beyond what the same
/// takes without it. Noise can make it negative.
struct Tax {
  std::string hook;
  std::string place;                 ///< where its programs sit; empty: where nobody else passes
  std::string reason;                ///< why nothing was measured; empty if it was
  double call_ns = 0;                ///< the shortest system call
  double read_ns = 0;                ///< a read of 4 KiB that are cached
  std::optional<double> request_ns;  ///< a request of a block device; empty: none came by
};

struct Taxes {
  double call_ns = 0;  ///< without any hook
  double read_ns = 0;
  std::vector<Tax> hooks;  ///< those in the kernel
};

/// Measures it: attaches, in turns, what each hook does for bytes that are not its own. Takes about
/// a second; nothing stays attached.
Result<Taxes> measure_taxes();

}  // namespace grapnel::api
