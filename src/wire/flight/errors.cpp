#include "wire/flight/errors.h"

#include <arrow/flight/types.h>

#include <nlohmann/json.hpp>

namespace grapnel::wire {
namespace {

namespace flight = arrow::flight;

std::string to_json(const Error& error) {
  nlohmann::json object{{"kind", static_cast<int>(error.kind)},
                        {"message", error.message},
                        {"hint", error.hint},
                        {"errno", error.system_errno}};
  if (error.sql_offset) object["sql_offset"] = *error.sql_offset;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Error> from_json(std::string_view text) {
  const auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("kind") || !object["kind"].is_number_integer() ||
      !object.contains("message") || !object["message"].is_string()) {
    return std::nullopt;
  }
  const int kind = object["kind"].get<int>();
  if (kind < 0 || kind > static_cast<int>(ErrorKind::internal)) return std::nullopt;
  Error error;
  error.kind = static_cast<ErrorKind>(kind);
  error.message = object["message"].get<std::string>();
  if (auto hint = object.find("hint"); hint != object.end() && hint->is_string()) {
    error.hint = hint->get<std::string>();
  }
  if (auto number = object.find("errno"); number != object.end() && number->is_number_integer()) {
    error.system_errno = number->get<int>();
  }
  if (auto at = object.find("sql_offset"); at != object.end() && at->is_number_unsigned()) {
    error.sql_offset = at->get<uint32_t>();
  }
  return error;
}

arrow::Status plain_status(const Error& error) {
  const std::string text = error.to_string();
  switch (error.kind) {
    case ErrorKind::usage:
    case ErrorKind::refused:
    case ErrorKind::data:
      return arrow::Status::Invalid(text);
    case ErrorKind::permission:
      return flight::MakeFlightError(flight::FlightStatusCode::Unauthorized, text);
    case ErrorKind::limit:
      return arrow::Status::CapacityError(text);
    case ErrorKind::cancelled:
      return arrow::Status::Cancelled(text);
    case ErrorKind::hook:
      return arrow::Status::NotImplemented(text);
    case ErrorKind::network:
      return flight::MakeFlightError(flight::FlightStatusCode::Unavailable, text);
    case ErrorKind::io:
    case ErrorKind::changed:
      return arrow::Status::IOError(text);
    case ErrorKind::internal:
      break;
  }
  return arrow::Status::UnknownError(text);
}

/// The sentence for people; gRPC appends its own state for those who debug it.
std::string without_debug_text(const std::string& message) {
  constexpr std::string_view kDebugText = ". gRPC client debug context";
  return message.substr(0, message.find(kDebugText));
}

}  // namespace

arrow::Status to_arrow(const Error& error, bool own_client) {
  if (!own_client) return plain_status(error);
  return flight::MakeFlightError(flight::FlightStatusCode::Failed, error.message, to_json(error));
}

Error from_arrow(const arrow::Status& status, const std::string& what) {
  if (auto detail = flight::FlightStatusDetail::UnwrapStatus(status)) {
    if (auto error = from_json(detail->extra_info())) return *error;
    if (detail->code() == flight::FlightStatusCode::Unavailable) {
      return Error{ErrorKind::network,
                   what + ": " + without_debug_text(status.message()),
                   "is the server running there? (grapnel serve --root DIR --listen HOST:PORT)",
                   0,
                   {}};
    }
  }
  if (status.IsCancelled()) return Error{ErrorKind::cancelled, "cancelled", {}, 0, {}};
  std::string hint;
  if (status.IsNotImplemented()) hint = "what answers there is no Flight SQL server";
  return Error{ErrorKind::network, what + ": " + without_debug_text(status.message()),
               std::move(hint), 0, std::nullopt};
}

}  // namespace grapnel::wire
