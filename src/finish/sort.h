// ORDER BY. Inside of finish.
#pragma once

#include <cstdint>
#include <vector>

#include "finish/results.h"

namespace grapnel::finish {

/// LIMIT + OFFSET: how many of the ordered rows the answer needs; UINT64_MAX for all.
uint64_t rows_wanted(const op::Finish& finish);

/// Puts those of `rows` (numbers into `results`, ascending) that the answer needs in the front, in
/// the order of ORDER BY; ties by number. The others follow in any order. Errors: data.
Status sort_rows(const op::Finish& finish, const Results& results, std::vector<size_t>& rows);

}  // namespace grapnel::finish
