#include <nlohmann/json.hpp>

#include "wire/executor.h"

namespace grapnel::wire {
namespace {

bool is_positive(const nlohmann::json& value) {
  return value.is_number() && value.get<double>() > 0;
}

}  // namespace

std::string ExecuteOptions::to_json() const {
  nlohmann::json object = nlohmann::json::object();
  if (!hook.empty()) object["hook"] = hook;
  if (threads != 0) object["threads"] = threads;
  if (error_if_grown) object["error_if_grown"] = true;
  if (strict_stability) object["strict_stability"] = true;
  if (no_kernel) object["no_kernel"] = true;
  if (polite) object["polite"] = true;
  if (max_cpus > 0) object["max_cpus"] = max_cpus;
  if (max_cpu_share > 0) object["max_cpu_share"] = max_cpu_share;
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
    } else if (name == "no_kernel" && value.is_boolean()) {
      options.no_kernel = value.get<bool>();
    } else if (name == "polite" && value.is_boolean()) {
      options.polite = value.get<bool>();
    } else if (name == "max_cpus" && is_positive(value)) {
      options.max_cpus = value.get<double>();
    } else if (name == "max_cpu_share" && is_positive(value)) {
      options.max_cpu_share = value.get<double>();
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
