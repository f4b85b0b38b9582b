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

}  // namespace grapnel::limits
