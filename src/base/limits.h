// Every limit on what input can grow, in one place. Each has an error that names it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace grapnel::limits {

inline constexpr size_t kSqlTextBytes = 1 << 20;
inline constexpr size_t kExpressionDepth = 200;
inline constexpr size_t kExpressionNodes = 500'000;  ///< of all expressions of a query
inline constexpr size_t kColumns = 4096;
inline constexpr size_t kRecordBytes = 32 << 20;      ///< longest record that is accepted
inline constexpr size_t kGroupsDefault = 16'000'000;  ///< groups of one query
inline constexpr size_t kResultMemoryBytes = size_t{4} << 30;
inline constexpr size_t kWaitingFragmentBytes = 32 << 20;
inline constexpr unsigned kThreads = 1024;
inline constexpr size_t kFileChunkBytes = 1 << 20;    ///< a server's file goes out in such pieces
inline constexpr size_t kFileHeadBytes = 256 << 10;   ///< that a client asks for when it opens one
inline constexpr size_t kFileAheadBytes = 4 << 20;    ///< read ahead of the network, per stream
inline constexpr size_t kShipWindowBytes = 64 << 20;  ///< received and not computed yet

}  // namespace grapnel::limits
