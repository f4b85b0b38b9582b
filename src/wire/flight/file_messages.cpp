#include "wire/flight/file_messages.h"

#include <array>

#include "wire/flight/protobuf_wire.h"

namespace grapnel::wire {
namespace {

using source::FileIdentity;
using source::FileRequest;
using source::FileState;
using source::Stability;

/// The numbers and texts of one message by field; what has a higher number is passed over.
struct Fields {
  static constexpr size_t kFields = 6;
  std::array<std::optional<uint64_t>, kFields> number;
  std::array<std::optional<std::string_view>, kFields> text;
};

std::optional<Fields> fields_of(std::string_view message) {
  ProtobufReader reader(message);
  Fields fields;
  while (reader.next()) {
    if (reader.field() >= Fields::kFields) continue;
    if (reader.is_varint()) fields.number[reader.field()] = reader.varint();
    if (reader.is_bytes()) fields.text[reader.field()] = reader.bytes();
  }
  if (!reader.ok()) return std::nullopt;
  return fields;
}

std::string encode_identity(const FileIdentity& identity) {
  ProtobufWriter message;
  message.add_varint(1, identity.device);
  message.add_varint(2, identity.inode);
  message.add_varint(3, identity.size);
  message.add_varint(4, static_cast<uint64_t>(identity.mtime_ns));
  message.add_varint(5, static_cast<uint64_t>(identity.ctime_ns));
  return message.take();
}

std::optional<FileIdentity> decode_identity(std::string_view message) {
  const auto fields = fields_of(message);
  if (!fields) return std::nullopt;
  for (size_t i = 1; i < Fields::kFields; i++) {
    if (!fields->number[i]) return std::nullopt;
  }
  return FileIdentity{*fields->number[1], *fields->number[2], *fields->number[3],
                      static_cast<int64_t>(*fields->number[4]),
                      static_cast<int64_t>(*fields->number[5])};
}

}  // namespace

std::string encode_file_request(const FileRequest& request) {
  ProtobufWriter message;
  message.add_bytes(1, request.path);
  message.add_varint(2, request.begin);
  message.add_varint(3, request.end);
  if (request.expected) message.add_bytes(4, encode_identity(*request.expected));
  return std::string(kFileTicket) + message.take();
}

std::optional<FileRequest> decode_file_request(std::string_view ticket) {
  const auto fields = fields_of(ticket.substr(kFileTicket.size()));
  if (!fields || !fields->text[1] || !fields->number[2] || !fields->number[3]) return std::nullopt;
  FileRequest request;
  request.path = *fields->text[1];
  request.begin = *fields->number[2];
  request.end = *fields->number[3];
  if (!fields->text[4]) return request;
  request.expected = decode_identity(*fields->text[4]);
  if (!request.expected) return std::nullopt;
  return request;
}

std::string encode_file_state(const FileState& state) {
  ProtobufWriter message;
  message.add_bytes(1, encode_identity(state.identity));
  message.add_varint(2, state.links);
  message.add_varint(3, static_cast<uint64_t>(state.stability));
  return message.take();
}

std::optional<FileState> decode_file_state(std::string_view metadata) {
  const auto fields = fields_of(metadata);
  if (!fields || !fields->text[1] || !fields->number[2] || !fields->number[3]) return std::nullopt;
  const auto identity = decode_identity(*fields->text[1]);
  if (!identity || *fields->number[3] > static_cast<uint64_t>(Stability::writers)) {
    return std::nullopt;
  }
  return FileState{*identity, *fields->number[2], static_cast<Stability>(*fields->number[3])};
}

}  // namespace grapnel::wire
