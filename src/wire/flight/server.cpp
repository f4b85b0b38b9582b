#include "wire/flight/server.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/flight/api.h>
#include <arrow/flight/server_auth.h>
#include <arrow/ipc/writer.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>

#include "wire/flight/errors.h"
#include "wire/flight/file_messages.h"
#include "wire/flight/file_sender.h"
#include "wire/flight/flight_sql.h"
#include "wire/flight/location.h"
#include "wire/flight/protobuf_wire.h"
#include "wire/flight/query_stream.h"

namespace grapnel::wire {
namespace {

namespace flight = arrow::flight;
using flight::FlightDescriptor;
using flight::ServerCallContext;

// Statement and prepared-statement handles are the SQL text itself: the server keeps nothing per
// statement, so a client that never comes back leaks nothing, and a restart invalidates nothing.
std::string handle_of(std::string_view sql) { return std::string(sql); }

struct CallOptions {
  ExecuteOptions execute;
  bool own_client = false;
};

arrow::Result<CallOptions> call_options(const ServerCallContext& call) {
  CallOptions options;
  const auto header = call.incoming_headers().find(kOptionsHeader);
  if (header == call.incoming_headers().end()) return options;
  options.own_client = true;
  auto parsed = ExecuteOptions::from_json(header->second);
  if (!parsed.ok()) return to_arrow(parsed.error(), options.own_client);
  options.execute = *parsed;
  return options;
}

/// Bytes that mean nothing, for who measures the link. One buffer again and again.
class LinkBytes : public flight::ResultStream {
 public:
  explicit LinkBytes(uint64_t bytes) : left_(bytes) {
    std::string noise(kPartBytes, '\0');
    uint64_t state = 1;
    for (char& c : noise) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      c = static_cast<char>(state >> 56);
    }
    part_ = arrow::Buffer::FromString(std::move(noise));
  }

  arrow::Result<std::unique_ptr<flight::Result>> Next() override {
    if (left_ == 0) return nullptr;
    const auto size = static_cast<int64_t>(std::min<uint64_t>(left_, kPartBytes));
    left_ -= static_cast<uint64_t>(size);
    auto result = std::make_unique<flight::Result>();
    result->body = arrow::SliceBuffer(part_, 0, size);
    return result;
  }

 private:
  static constexpr uint64_t kPartBytes = 1 << 20;
  uint64_t left_;
  std::shared_ptr<arrow::Buffer> part_;
};

class FlightSqlServer : public flight::FlightServerBase {
 public:
  FlightSqlServer(Executor& executor, const ServerOptions& options)
      : executor_(executor), max_queries_(options.max_queries), max_files_(options.max_files) {}

  arrow::Status GetFlightInfo(const ServerCallContext& call, const FlightDescriptor& descriptor,
                              std::unique_ptr<flight::FlightInfo>* info) override {
    ARROW_ASSIGN_OR_RAISE(auto command, unpack_any(descriptor.cmd));
    ARROW_ASSIGN_OR_RAISE(auto schema, schema_of(call, command));
    flight::FlightEndpoint endpoint;  // no location: this service
    endpoint.ticket.ticket = descriptor.cmd;
    if (command.name == "CommandStatementQuery") {
      ARROW_ASSIGN_OR_RAISE(auto sql, sql_of(command));
      ProtobufWriter ticket;
      ticket.add_bytes(1, handle_of(sql));
      endpoint.ticket.ticket = pack_any("TicketStatementQuery", ticket.take());
    }
    ARROW_ASSIGN_OR_RAISE(auto made, flight::FlightInfo::Make(*schema, descriptor, {endpoint},
                                                              /*total_records=*/-1,
                                                              /*total_bytes=*/-1));
    *info = std::make_unique<flight::FlightInfo>(std::move(made));
    return arrow::Status::OK();
  }

  arrow::Status GetSchema(const ServerCallContext& call, const FlightDescriptor& descriptor,
                          std::unique_ptr<flight::SchemaResult>* result) override {
    ARROW_ASSIGN_OR_RAISE(auto command, unpack_any(descriptor.cmd));
    ARROW_ASSIGN_OR_RAISE(auto schema, schema_of(call, command));
    ARROW_ASSIGN_OR_RAISE(*result, flight::SchemaResult::Make(*schema));
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const ServerCallContext& call, const flight::Ticket& ticket,
                      std::unique_ptr<flight::FlightDataStream>* stream) override {
    if (std::string_view(ticket.ticket).substr(0, kFileTicket.size()) == kFileTicket) {
      return start_file(call, ticket.ticket, stream);
    }
    ARROW_ASSIGN_OR_RAISE(auto command, unpack_any(ticket.ticket));
    if (!is_query(command)) {
      ARROW_ASSIGN_OR_RAISE(auto table, metadata_table(command));
      auto reader = std::make_shared<arrow::TableBatchReader>(table);
      *stream = std::make_unique<flight::RecordBatchStream>(reader);
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(auto options, call_options(call));
    ARROW_ASSIGN_OR_RAISE(auto sql, sql_of(command));
    return start_query(call, options, sql, stream);
  }

  arrow::Status DoAction(const ServerCallContext& call, const flight::Action& action,
                         std::unique_ptr<flight::ResultStream>* results) override {
    std::vector<flight::Result> answers;
    if (action.type == kLinkAction) {
      uint64_t bytes = 0;
      const std::string_view text = body_of(action);
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), bytes);
      if (parsed.ec != std::errc() || bytes > kMostLinkBytes) {
        return arrow::Status::Invalid("the number of bytes must be at most ", kMostLinkBytes);
      }
      *results = std::make_unique<LinkBytes>(bytes);
      return arrow::Status::OK();
    }
    if (action.type == "CreatePreparedStatement") {
      ARROW_ASSIGN_OR_RAISE(auto answer, prepare(call, body_of(action)));
      answers.emplace_back(arrow::Buffer::FromString(std::move(answer)));
    } else if (action.type != "ClosePreparedStatement") {
      return arrow::Status::NotImplemented("the action ", action.type, " is not supported");
    }
    *results = std::make_unique<flight::SimpleResultStream>(std::move(answers));
    return arrow::Status::OK();
  }

  arrow::Status ListActions(const ServerCallContext&,
                            std::vector<flight::ActionType>* actions) override {
    *actions = {
        {"CreatePreparedStatement", "Flight SQL: prepares a statement (no parameters)"},
        {"ClosePreparedStatement", "Flight SQL: nothing to do, the server keeps no state"},
        {kLinkAction, "grapnel: sends as many bytes as the body says, to measure the link"}};
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const ServerCallContext&, std::unique_ptr<flight::FlightMessageReader> reader,
                      std::unique_ptr<flight::FlightMetadataWriter> writer) override {
    ARROW_ASSIGN_OR_RAISE(auto command, unpack_any(reader->descriptor().cmd));
    if (command.name != "CommandPreparedStatementQuery") {
      return arrow::Status::NotImplemented("grapnel only reads: ", command.name,
                                           " is not supported");
    }
    // Some drivers bind zero parameters before each execution.
    ARROW_ASSIGN_OR_RAISE(auto parameters, reader->ToTable());
    if (parameters->num_columns() != 0) {
      return arrow::Status::NotImplemented(
          "statement parameters are not supported; write the "
          "values into the SQL text");
    }
    ProtobufWriter reply;
    ARROW_ASSIGN_OR_RAISE(auto sql, sql_of(command));
    reply.add_bytes(1, handle_of(sql));
    return writer->WriteMetadata(*arrow::Buffer::FromString(reply.take()));
  }

 private:
  static std::string_view body_of(const flight::Action& action) {
    return action.body == nullptr ? std::string_view{} : std::string_view(*action.body);
  }

  static bool is_query(const FlightSqlMessage& command) {
    return command.name == "CommandStatementQuery" || command.name == "TicketStatementQuery" ||
           command.name == "CommandPreparedStatementQuery";
  }

  // Field 1 is the query text, or a handle, which is the text too.
  static arrow::Result<std::string> sql_of(const FlightSqlMessage& command) {
    ARROW_ASSIGN_OR_RAISE(auto fields, parse_fields(command.value));
    return fields.text[1].value_or("");
  }

  arrow::Result<std::shared_ptr<arrow::Schema>> query_schema(const ServerCallContext& call,
                                                             const std::string& sql) {
    ARROW_ASSIGN_OR_RAISE(auto options, call_options(call));
    auto query = executor_.execute(sql, options.execute);
    if (!query.ok()) return to_arrow(query.error(), options.own_client);
    ArrowSchema c_schema{};
    if (auto status = (*query)->schema(&c_schema); !status.ok()) {
      return to_arrow(status.error(), options.own_client);
    }
    return arrow::ImportSchema(&c_schema);
  }

  arrow::Result<std::shared_ptr<arrow::Schema>> schema_of(const ServerCallContext& call,
                                                          const FlightSqlMessage& command) {
    if (is_query(command)) {
      ARROW_ASSIGN_OR_RAISE(auto sql, sql_of(command));
      return query_schema(call, sql);
    }
    ARROW_ASSIGN_OR_RAISE(auto table, metadata_table(command));
    return table->schema();
  }

  arrow::Result<std::string> prepare(const ServerCallContext& call, std::string_view body) {
    ARROW_ASSIGN_OR_RAISE(auto request, unpack_any(body));
    ARROW_ASSIGN_OR_RAISE(auto sql, sql_of(request));
    ARROW_ASSIGN_OR_RAISE(auto schema, query_schema(call, sql));
    ARROW_ASSIGN_OR_RAISE(auto serialised, arrow::ipc::SerializeSchema(*schema));
    ProtobufWriter answer;
    answer.add_bytes(1, handle_of(sql));
    answer.add_bytes(2, std::string_view(*serialised));
    return pack_any("ActionCreatePreparedStatementResult", answer.take());
  }

  arrow::Status start_query(const ServerCallContext& call, const CallOptions& options,
                            const std::string& sql,
                            std::unique_ptr<flight::FlightDataStream>* stream) {
    auto running = std::make_shared<RunningCount>(running_queries_);
    if (running->count > max_queries_) {
      const Error error = too_many_queries();
      if (options.execute.ship_offer) return advise_to_ship(error.message, stream);
      return to_arrow(error, options.own_client);
    }
    auto query = executor_.execute(sql, options.execute);
    if (!query.ok()) return to_arrow(query.error(), options.own_client);
    if (const std::string why = (*query)->rather_ship(); !why.empty()) {
      return advise_to_ship(why, stream);
    }
    auto made = std::make_unique<QueryStream>(std::move(*query), call, options.own_client,
                                              [running](uint64_t) {});
    ARROW_RETURN_NOT_OK(made->open());
    *stream = std::move(made);
    return arrow::Status::OK();
  }

  static arrow::Status advise_to_ship(const std::string& why,
                                      std::unique_ptr<flight::FlightDataStream>* stream) {
    auto schema = arrow::schema({}, arrow::key_value_metadata({kRatherShipKey}, {why}));
    ARROW_ASSIGN_OR_RAISE(auto nothing, arrow::RecordBatchReader::Make({}, std::move(schema)));
    *stream = std::make_unique<flight::RecordBatchStream>(std::move(nothing));
    return arrow::Status::OK();
  }

  arrow::Status start_file(const ServerCallContext& call, std::string_view ticket,
                           std::unique_ptr<flight::FlightDataStream>* stream) {
    ARROW_ASSIGN_OR_RAISE(auto options, call_options(call));
    const auto request = decode_file_request(ticket);
    if (!request) return arrow::Status::Invalid("a malformed request for a file");
    auto running = std::make_shared<RunningCount>(running_files_);
    if (running->count > max_files_) {
      return to_arrow(
          Error{ErrorKind::limit,
                "the server sends " + std::to_string(max_files_) + " files already, its limit",
                "try again when one has gone out",
                0,
                {}},
          options.own_client);
    }
    auto file = executor_.read_file(*request);
    if (!file.ok()) return to_arrow(file.error(), options.own_client);
    *stream = make_file_sender(*std::move(file), options.own_client, std::move(running));
    return arrow::Status::OK();
  }

  // Counts while it lives.
  struct RunningCount {
    explicit RunningCount(std::atomic<unsigned>& counter) : counter_(counter) { count = ++counter; }
    RunningCount(const RunningCount&) = delete;
    RunningCount& operator=(const RunningCount&) = delete;
    ~RunningCount() { --counter_; }
    unsigned count;

   private:
    std::atomic<unsigned>& counter_;
  };

  [[nodiscard]] Error too_many_queries() const {
    Error error;
    error.kind = ErrorKind::limit;
    if (max_queries_ == 0) {
      error.message = "the server computes nothing itself (--max-queries 0)";
      error.hint = "leave --hook and --polite away: then grapnel computes here";
    } else {
      error.message =
          "the server runs " + std::to_string(max_queries_) + " queries already, its limit";
      error.hint = "try again when one has ended";
    }
    return error;
  }

  Executor& executor_;
  const unsigned max_queries_;
  const unsigned max_files_;
  std::atomic<unsigned> running_queries_{0};
  std::atomic<unsigned> running_files_{0};
};

class FlightServer : public Server {
 public:
  FlightServer(Executor& executor, const ServerOptions& options) : server_(executor, options) {}

  Status start(const ServerOptions& options) {
    GRAPNEL_TRY(const flight::Location location, location_of(options.host, options.port));
    flight::FlightServerOptions flight_options(location);
    // Without a handler the Handshake that drivers start with a user name is UNIMPLEMENTED.
    flight_options.auth_handler = std::make_shared<flight::NoOpAuthHandler>();
    if (auto status = server_.Init(flight_options); !status.ok()) {
      const std::string why = why_not_listen(options.host, options.port);
      return Error{ErrorKind::network,
                   "cannot listen on " + address_text(options.host, options.port) + ": " +
                       (why.empty() ? status.message() : why),
                   "choose another address of this machine, or another port, with --listen "
                   "HOST:PORT",
                   0,
                   {}};
    }
    return ok_status();
  }

  uint16_t port() const override { return static_cast<uint16_t>(server_.port()); }

  Status wait() override {
    if (auto status = server_.Wait(); !status.ok()) return from_arrow(status, "server");
    return ok_status();
  }

  Status shutdown(uint32_t deadline_ms) override {
    const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(deadline_ms);
    if (auto status = server_.Shutdown(&deadline); !status.ok()) {
      return from_arrow(status, "stopping the server");
    }
    return ok_status();
  }

 private:
  FlightSqlServer server_;
};

}  // namespace

Result<std::unique_ptr<Server>> make_flight_server(Executor& executor,
                                                   const ServerOptions& options) {
  auto server = std::make_unique<FlightServer>(executor, options);
  GRAPNEL_CHECK(server->start(options));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace grapnel::wire
