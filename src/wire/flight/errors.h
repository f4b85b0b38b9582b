// grapnel's errors on the wire. Our client says so in a call header and gets every member of Error
// back (as JSON in the error details); others get a status code and a text to read.
#pragma once

#include <arrow/status.h>

#include "base/result.h"

namespace grapnel::wire {

/// Call headers of grapnel's own client. Header names are lower case (HTTP/2).
inline constexpr char kOptionsHeader[] = "x-grapnel-options";  ///< ExecuteOptions as JSON

/// Key in the metadata of a result's schema: the server would rather send the file, and this is
/// why. Nothing follows then. Only for clients that have offered to take it (ShipOffer).
inline constexpr char kRatherShipKey[] = "grapnel.rather_ship";

arrow::Status to_arrow(const Error& error, bool own_client);
/// `what` says what was tried when the transport itself failed.
Error from_arrow(const arrow::Status& status, const std::string& what);

}  // namespace grapnel::wire
