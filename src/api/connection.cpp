// Connection and QueryResult: the public face of wire::Executor, which is either the engine in this
// process or the client of a server.
#include <cerrno>
#include <new>
#include <utility>

#include "api/address.h"
#include "api/error.h"
#include "api/watcher.h"
#include "engine/engine.h"
#include "engine/ship_or_push.h"
#include "grapnel/grapnel.h"
#include "wire/executor.h"
#include "wire/plugin.h"

namespace grapnel::api {

struct Connection::State {
  std::unique_ptr<wire::Executor> executor;
};

struct QueryResult::State {
  State(std::shared_ptr<Connection::State> of, std::unique_ptr<wire::RunningQuery> running,
        const CancelToken* cancel, ProgressFunction progress)
      : connection(std::move(of)),
        query(std::move(running)),
        token(cancel),
        watcher(*query, cancel, std::move(progress)) {}

  std::shared_ptr<Connection::State> connection;  ///< the query may not outlive it
  std::unique_ptr<wire::RunningQuery> query;
  const CancelToken* token;
  Watcher watcher;
  std::optional<Error> error;
  std::string stream_error;  ///< what get_last_error points to
};

namespace {

wire::ExecuteOptions to_wire(const QueryOptions& options) {
  wire::ExecuteOptions same;
  same.hook = options.hook;
  if (!options.hook.empty() && options.allow_other_hooks) same.hook += ",any";
  same.threads = options.threads;
  same.error_if_grown = options.if_changed == IfChanged::error;
  same.strict_stability = options.strict;
  same.no_kernel = options.no_kernel;
  same.polite = options.polite;
  same.max_cpus = options.max_cpus;
  same.max_cpu_share = options.max_cpu_share;
  return same;
}

Error out_of_memory() {
  return {ErrorKind::limit, "out of memory", "ask for fewer rows or groups", ENOMEM, std::nullopt};
}

/// Runs `call` so that no exception of the library's inside gets out.
template <typename Value, typename Call>
Result<Value> guarded(const Call& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& unexpected) {
    return Error{ErrorKind::internal, unexpected.what(), "this is a bug in grapnel", 0,
                 std::nullopt};
  }
}

Result<bool> next_batch(QueryResult::State& state, ArrowArray* out) {
  if (state.error) return *state.error;
  auto more = guarded<bool>([&]() -> Result<bool> {
    const Watcher::Call watched(state.watcher);
    if (state.token != nullptr && state.token->cancelled()) state.query->cancel();
    auto answer = state.query->next(out);
    if (!answer.ok()) return to_public(answer.error());
    return *answer;
  });
  if (!more) state.error = more.error();
  return more;
}

Result<std::monostate> get_schema(QueryResult::State& state, ArrowSchema* out) {
  return guarded<std::monostate>([&]() -> Result<std::monostate> {
    if (auto status = state.query->schema(out); !status.ok()) return to_public(status.error());
    return std::monostate{};
  });
}

// What stands behind an exported ArrowArrayStream: a shared_ptr<State> on the heap.
using StreamState = std::shared_ptr<QueryResult::State>;

StreamState& state_of(ArrowArrayStream* stream) {
  return *static_cast<StreamState*>(stream->private_data);
}

int fail_stream(QueryResult::State& state, const Error& error) {
  state.error = error;
  state.stream_error = error.to_string();
  if (error.system_errno != 0) return error.system_errno;
  return error.kind == ErrorKind::cancelled ? ECANCELED : EIO;
}

int stream_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  QueryResult::State& state = *state_of(stream);
  auto status = get_schema(state, out);
  return status ? 0 : fail_stream(state, status.error());
}

int stream_next(ArrowArrayStream* stream, ArrowArray* out) {
  QueryResult::State& state = *state_of(stream);
  auto more = next_batch(state, out);
  if (!more) return fail_stream(state, more.error());
  if (!*more) out->release = nullptr;  // the interface's sign of the end
  return 0;
}

const char* stream_error(ArrowArrayStream* stream) {
  const QueryResult::State& state = *state_of(stream);
  return state.stream_error.empty() ? nullptr : state.stream_error.c_str();
}

void stream_release(ArrowArrayStream* stream) {
  delete static_cast<StreamState*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

QueryResult::QueryResult(std::shared_ptr<State> state) : state_(std::move(state)) {}
QueryResult::QueryResult(QueryResult&&) noexcept = default;
QueryResult& QueryResult::operator=(QueryResult&&) noexcept = default;
QueryResult::~QueryResult() = default;

Result<std::monostate> QueryResult::schema(ArrowSchema* out) { return get_schema(*state_, out); }

Result<bool> QueryResult::next(ArrowArray* out) { return next_batch(*state_, out); }

void QueryResult::export_stream(ArrowArrayStream* out) {
  out->get_schema = stream_schema;
  out->get_next = stream_next;
  out->get_last_error = stream_error;
  out->release = stream_release;
  out->private_data = new StreamState(state_);
}

Statistics QueryResult::statistics() const {
  auto statistics = Statistics::from_json(state_->query->statistics_json());
  return statistics ? *std::move(statistics) : Statistics{};
}

std::optional<Error> QueryResult::error() const { return state_->error; }

Connection::Connection(std::shared_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::embedded() {
  auto state = std::make_shared<State>();
  state->executor = engine::make_engine();
  return Connection(std::move(state));
}

Result<Connection> Connection::remote(const std::string& address) {
  return guarded<Connection>([&]() -> Result<Connection> {
    auto parsed = parse_address(address);
    if (!parsed.ok()) return to_public(parsed.error());
    auto plugin = wire::load_plugin();
    if (!plugin.ok()) return to_public(plugin.error());
    auto executor = (*plugin)->connect(parsed->host, parsed->port);
    if (!executor.ok()) return to_public(executor.error());
    auto state = std::make_shared<State>();
    state->executor = engine::make_ship_or_push(*std::move(executor), address);
    return Connection(std::move(state));
  });
}

Result<QueryResult> Connection::execute(std::string_view sql, const QueryOptions& options,
                                        const CancelToken* cancel, ProgressFunction progress) {
  return guarded<QueryResult>([&]() -> Result<QueryResult> {
    auto query = state_->executor->execute(sql, to_wire(options));
    if (!query.ok()) return to_public(query.error());
    return QueryResult(std::make_shared<QueryResult::State>(state_, *std::move(query), cancel,
                                                            std::move(progress)));
  });
}

}  // namespace grapnel::api
