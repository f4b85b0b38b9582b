// One JSON object on one line, member by member.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grapnel::cli {

/// "key": value, in the order of the calls. Keys are plain names. A real has nine digits at most.
class JsonObject {
 public:
  JsonObject& text(const char* key, std::string_view value);
  JsonObject& number(const char* key, uint64_t value);
  JsonObject& real(const char* key, double value);
  JsonObject& boolean(const char* key, bool value);
  /// `value` is JSON.
  JsonObject& raw(const char* key, std::string_view value);
  /// The whole object, without a line end.
  [[nodiscard]] std::string end() const { return json_.empty() ? "{}" : json_ + "}"; }

 private:
  std::string json_;
};

}  // namespace grapnel::cli
