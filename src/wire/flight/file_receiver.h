// A Flight stream as raw bytes of a file (file_messages.h).
#pragma once

#include <arrow/flight/client.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "source/file_stream.h"

namespace grapnel::wire {

/// Asks for the bytes; does not wait for the answer, so refusals come with the stream's first
/// next(). `client` must outlive the stream; `server` names it in errors.
Result<std::unique_ptr<source::FileStream>> receive_file(arrow::flight::FlightClient& client,
                                                         const std::string& server,
                                                         const source::FileRequest& request);

}  // namespace grapnel::wire
