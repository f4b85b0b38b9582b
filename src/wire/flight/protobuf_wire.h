// The protobuf wire format, as much as Flight SQL's flat messages need: a bounds-checked reader and
// an append-only writer. Encoding: https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grapnel::wire {

/// Steps through the fields of one message. Never reads outside the text it was given.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  /// Moves to the next field; false at the end and on malformed input (then ok() is false).
  bool next();
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] uint32_t field() const { return field_; }
  [[nodiscard]] bool is_bytes() const { return wire_type_ == kBytes; }
  [[nodiscard]] bool is_varint() const { return wire_type_ == kVarint; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] uint64_t varint() const { return number_; }

  /// Takes one varint off the front of `text` (packed repeated fields).
  static bool take_varint(std::string_view& text, uint64_t& value);

 private:
  static constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
  bool fail();
  bool skip(size_t size);

  std::string_view rest_;
  std::string_view bytes_;
  uint64_t number_ = 0;
  uint32_t field_ = 0;
  unsigned wire_type_ = 0;
  bool ok_ = true;
};

class ProtobufWriter {
 public:
  void add_varint(uint32_t field, uint64_t value);
  void add_bytes(uint32_t field, std::string_view bytes);
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void put_varint(uint64_t value);
  std::string out_;
};

}  // namespace grapnel::wire
