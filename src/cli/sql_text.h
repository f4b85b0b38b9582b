// Statements made of what the command line says.
#pragma once

#include <string>

#include "grapnel/grapnel.h"

namespace grapnel::cli {

/// The table that a file is, as it stands behind FROM: its path quoted, or csv(...) and the like as
/// they are.
std::string table_text(const std::string& file);

/// The statement that describes a file.
std::string describe_statement(const std::string& file);

/// `sql`, which has no FROM, with FROM `file`: a path, or csv(...) and the like. ErrorKind::usage
/// if it has one: which file is meant would be a guess.
api::Result<std::string> with_table(const std::string& sql, const std::string& file);

}  // namespace grapnel::cli
