#include "wire/flight/file_receiver.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <utility>

#include "wire/executor.h"
#include "wire/flight/errors.h"
#include "wire/flight/file_messages.h"

namespace grapnel::wire {
namespace {

namespace flight = arrow::flight;
using source::FileChunk;
using source::FileRequest;
using source::FileState;
using source::FileStream;

class FileReceiver final : public FileStream {
 public:
  FileReceiver(std::unique_ptr<flight::FlightStreamReader> reader, std::string what)
      : reader_(std::move(reader)), what_(std::move(what)) {}
  FileReceiver(const FileReceiver&) = delete;
  FileReceiver& operator=(const FileReceiver&) = delete;
  ~FileReceiver() override {
    if (!ended_) reader_->Cancel();
  }

  Result<FileChunk> next() override {
    if (ended_) return FileChunk{};
    auto message = reader_->Next();
    if (!message.ok()) {
      ended_ = true;
      return from_arrow(message.status(), what_);
    }
    if (message->app_metadata == nullptr)
      return broken("the stream ended without its last message");
    const auto state = decode_file_state(std::string_view(*message->app_metadata));
    if (!state || message->data == nullptr) return broken("a message that cannot be read");
    state_ = *state;
    if (message->data->num_rows() == 0) {
      ended_ = true;
      return FileChunk{};
    }
    return chunk_of(std::move(message->data));
  }

  [[nodiscard]] FileState state() const override { return state_; }
  void cancel() override { reader_->Cancel(); }

 private:
  /// The bytes where the network has put them.
  Result<FileChunk> chunk_of(std::shared_ptr<arrow::RecordBatch> batch) {
    const bool as_agreed = batch->num_columns() == 1 && batch->num_rows() == 1 &&
                           batch->column(0)->type_id() == arrow::Type::BINARY;
    if (!as_agreed) return broken("a message of another form");
    const auto& column = static_cast<const arrow::BinaryArray&>(*batch->column(0));
    const std::string_view bytes = column.GetView(0);
    if (bytes.empty()) return broken("a message of no bytes");
    return FileChunk{std::move(batch), bytes};
  }

  Error broken(const std::string& how) {
    if (!ended_) reader_->Cancel();
    ended_ = true;
    return {ErrorKind::network, what_ + ": " + how,
            "client and server may be of different versions", 0, std::nullopt};
  }

  std::unique_ptr<flight::FlightStreamReader> reader_;
  const std::string what_;  ///< for errors
  FileState state_;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<FileStream>> receive_file(flight::FlightClient& client,
                                                 const std::string& server,
                                                 const FileRequest& request) {
  const std::string what = "reading " + request.path + " from " + server;
  flight::FlightCallOptions call;
  call.headers.emplace_back(kOptionsHeader, ExecuteOptions{}.to_json());
  auto reader = client.DoGet(call, flight::Ticket{encode_file_request(request)});
  if (!reader.ok()) return from_arrow(reader.status(), what);
  return std::unique_ptr<FileStream>(std::make_unique<FileReceiver>(*std::move(reader), what));
}

}  // namespace grapnel::wire
