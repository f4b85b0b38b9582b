#include "cli/sql_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace grapnel::cli {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Behind the quoted text that begins at `at`.
size_t skip_quoted(std::string_view sql, size_t at) {
  const size_t end = sql.find(sql[at], at + 1);
  return end == std::string_view::npos ? sql.size() : end + 1;
}

std::string upper(std::string_view word) {
  std::string text(word);
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// Calls `visit(word, place)` for each word outside quotes and parentheses, until it returns false.
template <typename Visit>
void visit_words(std::string_view sql, const Visit& visit) {
  int depth = 0;
  for (size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    if (c == '\'' || c == '"') {
      at = skip_quoted(sql, at);
    } else if (is_word(c)) {
      size_t end = at;
      while (end < sql.size() && is_word(sql[end])) end++;
      if (depth == 0 && !visit(upper(sql.substr(at, end - at)), at)) return;
      at = end;
    } else {
      depth += c == '(' ? 1 : (c == ')' ? -1 : 0);
      at++;
    }
  }
}

}  // namespace

std::string table_text(const std::string& file) {
  for (const std::string_view reader : {"csv(", "lines(", "fixed("}) {
    if (file.compare(0, reader.size(), reader) == 0) return file;
  }
  std::string quoted = "'";
  for (const char c : file) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

std::string describe_statement(const std::string& file) { return "DESCRIBE " + table_text(file); }

api::Result<std::string> with_table(const std::string& sql, const std::string& file) {
  constexpr std::array<std::string_view, 6> kBehindFrom = {"WHERE", "GROUP", "HAVING",
                                                           "ORDER", "LIMIT", "OFFSET"};
  bool has_from = false;
  size_t place = sql.find_last_not_of(" \t\r\n;") + 1;
  visit_words(sql, [&](const std::string& word, size_t at) {
    if (word == "FROM") {
      has_from = true;
      return false;
    }
    const bool behind =
        std::find(kBehindFrom.begin(), kBehindFrom.end(), word) != kBehindFrom.end();
    if (behind) place = at;
    return !behind;
  });
  if (has_from) {
    return api::Error{api::ErrorKind::usage,
                      "the statement names a file with FROM, and " + file + " is given beside it",
                      "leave one of them away", 0, std::nullopt};
  }
  std::string text = sql.substr(0, place);
  if (!text.empty() && text.back() != ' ') text += ' ';
  text += "FROM " + table_text(file);
  if (place < sql.size() && sql[place] != ';') text += ' ';
  return text + sql.substr(place);
}

}  // namespace grapnel::cli
