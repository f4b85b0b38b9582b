#include "cli/json_object.h"

#include "cli/number_text.h"
#include "cli/writers.h"

namespace grapnel::cli {

JsonObject& JsonObject::raw(const char* key, std::string_view value) {
  json_ += json_.empty() ? "{\"" : ", \"";
  json_ += key;
  json_ += "\": ";
  json_ += value;
  return *this;
}

JsonObject& JsonObject::text(const char* key, std::string_view value) {
  std::string quoted;
  append_json_string(quoted, value);
  return raw(key, quoted);
}

JsonObject& JsonObject::number(const char* key, uint64_t value) {
  return raw(key, std::to_string(value));
}

JsonObject& JsonObject::real(const char* key, double value) {
  return raw(key, formatted("%.9g", value));
}

JsonObject& JsonObject::boolean(const char* key, bool value) {
  return raw(key, value ? "true" : "false");
}

}  // namespace grapnel::cli
