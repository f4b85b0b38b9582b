// Text for a terminal: no control characters, known width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace grapnel::cli {

/// `text` with control characters and bytes that are no UTF-8 spelled out (\n, \t, \x1b), so that
/// data can neither break the table nor talk to the terminal.
std::string printable(std::string_view text);

/// Columns that printable text takes on a terminal: 2 for East Asian wide characters and emoji, 0
/// for combining marks.
size_t display_width(std::string_view text);

/// `text` cut to at most `width` columns; cut text ends with an ellipsis.
std::string shorten(std::string_view text, size_t width);

/// Length in bytes of the UTF-8 character at the start of `text`, 0 if there is none that is valid;
/// the code point goes to `*code_point`.
size_t decode_utf8(std::string_view text, char32_t* code_point);

}  // namespace grapnel::cli
