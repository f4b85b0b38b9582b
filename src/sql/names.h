// Names: comparison without regard to case, spelling, and what somebody may have meant. Internal to
// src/sql.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace grapnel::sql {

/// ASCII letters in lower case; other bytes as they are.
std::string lower(std::string_view text);

/// Equal but for the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b);

/// The name that an identifier token means: quotes taken off, doubled ones made single.
std::string identifier_name(std::string_view token);

/// `name` as SQL text: quoted unless it is made of letters, digits and _.
std::string quote_if_needed(std::string_view name);

/// Hint for an unknown name: "did you mean a, b?" if some are near, else the first few there are.
std::string near_names_hint(std::string_view name, const std::vector<std::string>& known);

}  // namespace grapnel::sql
