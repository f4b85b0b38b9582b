#include "wire/flight/client.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/flight/client.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "wire/flight/errors.h"
#include "wire/flight/file_receiver.h"
#include "wire/flight/flight_sql.h"
#include "wire/flight/location.h"
#include "wire/flight/protobuf_wire.h"

namespace grapnel::wire {
namespace {

namespace flight = arrow::flight;

class RemoteQuery : public RunningQuery {
 public:
  RemoteQuery(std::unique_ptr<flight::FlightStreamReader> reader,
              std::shared_ptr<arrow::Schema> schema, std::string server)
      : reader_(std::move(reader)), schema_(std::move(schema)), server_(std::move(server)) {}

  ~RemoteQuery() override {
    if (!ended_) reader_->Cancel();
  }

  Status schema(ArrowSchema* out) override {
    if (auto status = arrow::ExportSchema(*schema_, out); !status.ok()) {
      return from_arrow(status, "result schema");
    }
    return ok_status();
  }

  std::string rather_ship() const override {
    if (schema_->metadata() == nullptr) return {};
    return schema_->metadata()->Get(kRatherShipKey).ValueOr({});
  }

  Result<bool> next(ArrowArray* out) override {
    for (;;) {
      auto chunk = reader_->Next();
      if (!chunk.ok()) {
        ended_ = true;
        return from_arrow(chunk.status(), "query on " + server_);
      }
      if (chunk->data == nullptr && chunk->app_metadata == nullptr) {
        ended_ = true;
        return false;
      }
      if (chunk->app_metadata != nullptr) take_metadata(std::string_view(*chunk->app_metadata));
      if (chunk->data == nullptr || chunk->data->num_rows() == 0) continue;
      count_bytes(*chunk->data);
      if (auto status = arrow::ExportRecordBatch(*chunk->data, out); !status.ok()) {
        return from_arrow(status, "result batch");
      }
      return true;
    }
  }

  void cancel() override { reader_->Cancel(); }

  QueryProgress progress() const override {
    std::lock_guard lock(mutex_);
    return progress_;
  }

  std::string statistics_json() const override {
    std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  void count_bytes(const arrow::RecordBatch& batch) {
    for (const auto& column : batch.column_data()) {
      for (const auto& buffer : column->buffers) {
        if (buffer != nullptr) bytes_received_ += static_cast<uint64_t>(buffer->size());
      }
    }
  }

  void take_metadata(std::string_view text) {
    auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return;  // not from a grapnel server: none of our business
    std::lock_guard lock(mutex_);
    if (auto it = object.find("statistics"); it != object.end() && it->is_object()) {
      (*it)["bytes_sent"] = bytes_received_;
      statistics_ = it->dump();
    }
    if (auto it = object.find("progress"); it != object.end() && it->is_object()) {
      progress_.bytes_done = it->value("bytes_done", uint64_t{0});
      progress_.bytes_total = it->value("bytes_total", uint64_t{0});
      progress_.seconds = it->value("seconds", 0.0);
      progress_.hook = it->value("hook", std::string{});
    }
  }

  std::unique_ptr<flight::FlightStreamReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  std::string server_;
  uint64_t bytes_received_ = 0;
  bool ended_ = false;
  mutable std::mutex mutex_;
  QueryProgress progress_;
  std::string statistics_ = "{}";
};

class RemoteExecutor : public Executor {
 public:
  RemoteExecutor(std::unique_ptr<flight::FlightClient> client, std::string server)
      : client_(std::move(client)), server_(std::move(server)) {}

  // One round trip: the statement itself is the ticket.
  Result<std::unique_ptr<RunningQuery>> execute(std::string_view sql,
                                                const ExecuteOptions& options) override {
    ProtobufWriter command;
    command.add_bytes(1, sql);
    flight::Ticket ticket{pack_any("CommandStatementQuery", command.take())};
    flight::FlightCallOptions call;
    call.headers.emplace_back(kOptionsHeader, options.to_json());
    auto reader = client_->DoGet(call, ticket);
    if (!reader.ok()) return from_arrow(reader.status(), "query on " + server_);
    auto schema = (*reader)->GetSchema();
    if (!schema.ok()) {
      // The reader's own status carries the server's error details; GetSchema's may not.
      auto chunk = (*reader)->Next();
      return from_arrow(chunk.ok() ? schema.status() : chunk.status(), "query on " + server_);
    }
    return std::unique_ptr<RunningQuery>(
        std::make_unique<RemoteQuery>(std::move(*reader), std::move(*schema), server_));
  }

  Result<std::unique_ptr<source::FileStream>> read_file(
      const source::FileRequest& request) override {
    return receive_file(*client_, server_, request);
  }

  Result<uint64_t> pull_bytes(uint64_t bytes) override {
    const flight::Action action{kLinkAction, arrow::Buffer::FromString(std::to_string(bytes))};
    auto stream = client_->DoAction(action);
    if (!stream.ok()) return from_arrow(stream.status(), "measuring the link to " + server_);
    uint64_t got = 0;
    for (;;) {
      auto part = (*stream)->Next();
      if (!part.ok()) return from_arrow(part.status(), "measuring the link to " + server_);
      if (*part == nullptr) return got;
      got += static_cast<uint64_t>((*part)->body->size());
    }
  }

 private:
  std::unique_ptr<flight::FlightClient> client_;
  std::string server_;
};

}  // namespace

Result<std::unique_ptr<Executor>> connect_flight(const std::string& host, uint16_t port) {
  const std::string server = address_text(host, port);
  GRAPNEL_TRY(const flight::Location location, location_of(host, port));
  auto client = flight::FlightClient::Connect(location);
  if (!client.ok()) return from_arrow(client.status(), "cannot connect to " + server);
  return std::unique_ptr<Executor>(std::make_unique<RemoteExecutor>(std::move(*client), server));
}

}  // namespace grapnel::wire
