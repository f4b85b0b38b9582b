#include "wire/flight/file_sender.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <array>
#include <utility>

#include "wire/flight/errors.h"
#include "wire/flight/file_messages.h"

namespace grapnel::wire {
namespace {

using arrow::flight::FlightPayload;
using source::FileChunk;
using source::FileStream;

/// The bytes of a chunk where they lie.
class ChunkBuffer final : public arrow::Buffer {
 public:
  explicit ChunkBuffer(FileChunk chunk)
      : Buffer(reinterpret_cast<const uint8_t*>(chunk.bytes.data()),
               static_cast<int64_t>(chunk.bytes.size())),
        chunk_(std::move(chunk)) {}

 private:
  FileChunk chunk_;
};

class FileSender final : public arrow::flight::FlightDataStream {
 public:
  FileSender(std::unique_ptr<FileStream> file, bool own_client, std::shared_ptr<void> held)
      : held_(std::move(held)), file_(std::move(file)), own_client_(own_client) {}

  std::shared_ptr<arrow::Schema> schema() override { return schema_; }

  arrow::Result<FlightPayload> GetSchemaPayload() override {
    FlightPayload payload;
    const arrow::ipc::DictionaryFieldMapper no_dictionaries;
    ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(
        *schema_, arrow::ipc::IpcWriteOptions::Defaults(), no_dictionaries, &payload.ipc_message));
    return payload;
  }

  arrow::Result<FlightPayload> Next() override {
    FlightPayload payload;  // no message: the end
    if (ended_) return payload;
    auto chunk = file_->next();
    if (!chunk.ok()) return to_arrow(chunk.error(), own_client_);
    ended_ = chunk->bytes.empty();
    ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(*batch_of(*std::move(chunk)),
                                                          arrow::ipc::IpcWriteOptions::Defaults(),
                                                          &payload.ipc_message));
    payload.app_metadata = arrow::Buffer::FromString(encode_file_state(file_->state()));
    return payload;
  }

 private:
  /// One row, or none without bytes.
  [[nodiscard]] std::shared_ptr<arrow::RecordBatch> batch_of(FileChunk chunk) const {
    const int64_t rows = chunk.bytes.empty() ? 0 : 1;
    const std::array offsets{int32_t{0}, static_cast<int32_t>(chunk.bytes.size())};
    auto column = std::make_shared<arrow::BinaryArray>(
        rows,
        arrow::Buffer::FromString(
            std::string(reinterpret_cast<const char*>(offsets.data()), sizeof offsets)),
        std::make_shared<ChunkBuffer>(std::move(chunk)));
    return arrow::RecordBatch::Make(schema_, rows, {std::move(column)});
  }

  const std::shared_ptr<void> held_;
  const std::unique_ptr<FileStream> file_;
  const bool own_client_;
  const std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field(kFileColumn, arrow::binary(), /*nullable=*/false)});
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<arrow::flight::FlightDataStream> make_file_sender(std::unique_ptr<FileStream> file,
                                                                  bool own_client,
                                                                  std::shared_ptr<void> held) {
  return std::make_unique<FileSender>(std::move(file), own_client, std::move(held));
}

}  // namespace grapnel::wire
