// Raw bytes of a file as a Flight stream (file_messages.h).
#pragma once

#include <arrow/flight/server.h>

#include <memory>

#include "source/file_stream.h"

namespace grapnel::wire {

/// `held` is let go when the stream ends in whatever way. A client that vanishes ends it with the
/// next piece at the latest.
std::unique_ptr<arrow::flight::FlightDataStream> make_file_sender(
    std::unique_ptr<source::FileStream> file, bool own_client, std::shared_ptr<void> held);

}  // namespace grapnel::wire
