#include "wire/flight/protobuf_wire.h"

namespace grapnel::wire {

bool ProtobufReader::take_varint(std::string_view& text, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (text.empty()) return false;
    const auto byte = static_cast<uint8_t>(text.front());
    text.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;  // more than ten bytes
}

bool ProtobufReader::fail() {
  ok_ = false;
  return false;
}

bool ProtobufReader::skip(size_t size) {
  if (rest_.size() < size) return fail();
  rest_.remove_prefix(size);
  return true;
}

bool ProtobufReader::next() {
  if (!ok_ || rest_.empty()) return false;
  uint64_t tag = 0;
  constexpr uint64_t kMaxFieldNumber = (1u << 29) - 1;
  if (!take_varint(rest_, tag) || (tag >> 3) == 0 || (tag >> 3) > kMaxFieldNumber) return fail();
  field_ = static_cast<uint32_t>(tag >> 3);
  wire_type_ = static_cast<unsigned>(tag & 7);
  switch (wire_type_) {
    case kVarint:
      return take_varint(rest_, number_) || fail();
    case kFixed64:
      return skip(8);
    case kFixed32:
      return skip(4);
    case kBytes: {
      uint64_t size = 0;
      if (!take_varint(rest_, size) || size > rest_.size()) return fail();
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
    default:  // groups, which proto3 does not have
      return fail();
  }
}

void ProtobufWriter::put_varint(uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void ProtobufWriter::add_varint(uint32_t field, uint64_t value) {
  put_varint(uint64_t{field} << 3);
  put_varint(value);
}

void ProtobufWriter::add_bytes(uint32_t field, std::string_view bytes) {
  put_varint(uint64_t{field} << 3 | 2);
  put_varint(bytes.size());
  out_.append(bytes);
}

}  // namespace grapnel::wire
