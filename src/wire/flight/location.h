// Addresses as Arrow Flight and sockets take them.
#pragma once

#include <arrow/flight/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace grapnel::wire {

/// "HOST:PORT", an IPv6 address in brackets. `host` is without them.
std::string address_text(const std::string& host, uint16_t port);

/// Errors: network, if the host's name cannot stand in an address.
Result<arrow::flight::Location> location_of(const std::string& host, uint16_t port);

/// Why a server cannot listen there, found out by trying; Arrow does not say. Empty if it could.
std::string why_not_listen(const std::string& host, uint16_t port);

}  // namespace grapnel::wire
