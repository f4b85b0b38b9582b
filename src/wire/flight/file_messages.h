// What client and server say about raw files, in the protobuf wire format: the ticket of a DoGet,
// and the application metadata of each of its batches.
//
//   ticket    "grapnel.file:" and  1 path  2 begin  3 end  4 {identity, if one is expected}
//   metadata  1 {identity}  2 links  3 stability
//   identity  1 device  2 inode  3 size  4 mtime_ns  5 ctime_ns
//
// The stream has one column, `bytes` BINARY: batches of one row, in the file's order, and at the
// end one without rows, for its metadata.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/file_stream.h"

namespace grapnel::wire {

inline constexpr std::string_view kFileTicket = "grapnel.file:";
inline constexpr char kFileColumn[] = "bytes";

std::string encode_file_request(const source::FileRequest& request);
/// `ticket` begins with kFileTicket. Empty: malformed.
std::optional<source::FileRequest> decode_file_request(std::string_view ticket);

std::string encode_file_state(const source::FileState& state);
/// Empty: malformed.
std::optional<source::FileState> decode_file_state(std::string_view metadata);

}  // namespace grapnel::wire
