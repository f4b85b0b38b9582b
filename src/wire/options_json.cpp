#include <nlohmann/json.hpp>

#include "wire/executor.h"

namespace grapnel::wire {

std::string ExecuteOptions::to_json() const {
  nlohmann::json object = nlohmann::json::object();
  if (!hook.empty()) object["hook"] = hook;
  if (threads != 0) object["threads"] = threads;
  if (error_if_grown) object["error_if_grown"] = true;
  if (strict_stability) object["strict_stability"] = true;
  return object.dump();
}

Result<ExecuteOptions> ExecuteOptions::from_json(std::string_view text) {
  const auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return Error{ErrorKind::usage, "the options of a query are not a JSON object", {}, 0, {}};
  }
  ExecuteOptions options;
  for (const auto& [name, value] : object.items()) {
    if (name == "hook" && value.is_string()) {
      options.hook = value.get<std::string>();
    } else if (name == "threads" && value.is_number_unsigned()) {
      options.threads = value.get<unsigned>();
    } else if (name == "error_if_grown" && value.is_boolean()) {
      options.error_if_grown = value.get<bool>();
    } else if (name == "strict_stability" && value.is_boolean()) {
      options.strict_stability = value.get<bool>();
    } else {
      return Error{ErrorKind::usage,
                   "unknown or malformed query option '" + name + "'",
                   "client and server may be of different versions",
                   0,
                   {}};
    }
  }
  return options;
}

}  // namespace grapnel::wire
