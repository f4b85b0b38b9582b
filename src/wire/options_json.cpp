#include <nlohmann/json.hpp>

#include "wire/executor.h"

namespace grapnel::wire {
namespace {

bool is_positive(const nlohmann::json& value) {
  return value.is_number() && value.get<double>() > 0;
}

bool is_not_negative(const nlohmann::json& object, const char* name) {
  const auto value = object.find(name);
  return value != object.end() && value->is_number() && value->get<double>() >= 0;
}

std::optional<ShipOffer> offer_of(const nlohmann::json& object) {
  const auto threads = object.find("threads");
  if (!is_not_negative(object, "link_bytes_per_second") ||
      !is_not_negative(object, "rtt_seconds") || threads == object.end() ||
      !threads->is_number_unsigned()) {
    return std::nullopt;
  }
  return ShipOffer{object["link_bytes_per_second"].get<double>(),
                   object["rtt_seconds"].get<double>(), threads->get<unsigned>()};
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
  if (ship_offer) {
    object["ship_offer"] = {{"link_bytes_per_second", ship_offer->link_bytes_per_second},
                            {"rtt_seconds", ship_offer->rtt_seconds},
                            {"threads", ship_offer->threads}};
  }
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
    } else if (name == "ship_offer" && value.is_object() && offer_of(value)) {
      options.ship_offer = offer_of(value);
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
