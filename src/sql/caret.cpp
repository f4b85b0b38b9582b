#include "sql/caret.h"

#include <algorithm>

namespace grapnel::sql {

namespace {

constexpr size_t kWidth = 100;  ///< bytes of the text that are shown of a long line

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

size_t character_count(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

}  // namespace

std::string caret_lines(std::string_view sql, uint32_t offset) {
  const size_t place = std::min<size_t>(offset, sql.size());
  const size_t before = sql.substr(0, place).rfind('\n');
  const size_t line_begin = before == std::string_view::npos ? 0 : before + 1;
  const size_t line_end = std::min(sql.find('\n', place), sql.size());

  size_t begin = line_begin;
  size_t end = line_end;
  if (end - begin > kWidth) {
    begin = place - std::min(place - begin, kWidth / 2);
    end = std::min(line_end, begin + kWidth);
    while (begin > line_begin && continues_character(sql[begin])) begin--;
    while (end < line_end && continues_character(sql[end])) end++;
  }
  std::string prefix;
  if (sql.find('\n') != std::string_view::npos) {
    const auto line =
        std::count(sql.begin(), sql.begin() + static_cast<ptrdiff_t>(line_begin), '\n');
    prefix = "LINE " + std::to_string(line + 1) + ": ";
  }
  if (begin > line_begin) prefix += "...";
  std::string text = prefix + std::string(sql.substr(begin, end - begin));
  if (end < line_end) text += "...";
  // Control characters would move the caret, or more.
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  const size_t column = prefix.size() + character_count(sql.substr(begin, place - begin));
  return text + "\n" + std::string(column, ' ') + "^\n";
}

std::string describe(const Error& error, std::string_view sql) {
  Error without_hint = error;
  without_hint.hint.clear();
  std::string text = without_hint.to_string() + "\n";
  if (error.sql_offset) text += caret_lines(sql, *error.sql_offset);
  if (!error.hint.empty()) text += "hint: " + error.hint + "\n";
  return text;
}

}  // namespace grapnel::sql
