#include "cli/where_arguments.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "cli/estimate_arguments.h"

namespace grapnel::cli {
namespace {

constexpr char kWhereNotes[] =
    R"(FILE is a path, or csv(...), lines(...), fixed(...); SQL may leave its FROM away:
  grapnel where lineitem.csv "SELECT sum(l_quantity) WHERE l_tax > 0.05"
  grapnel where "SELECT count(*) FROM lines('app.log') WHERE line LIKE '%error%'" --measure
--measure runs every hook that may and can, in turns, and demands the same answer of all. Between the
runs the file's pages in the page cache are put back as they were; nobody else's are touched.)";

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

std::string table_text(const std::string& file) {
  for (const std::string_view reader : {"csv(", "lines(", "fixed("}) {
    if (file.compare(0, reader.size(), reader) == 0) return file;
  }
  std::string quoted = "'";
  for (const char c : file) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string with_table(const std::string& sql, const std::string& file) {
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
  if (has_from) return sql;
  std::string text = sql.substr(0, place);
  if (!text.empty() && text.back() != ' ') text += ' ';
  text += "FROM " + table_text(file);
  if (place < sql.size() && sql[place] != ';') text += ' ';
  return text + sql.substr(place);
}

void add_limits(CLI::App& app, api::QueryOptions& options) {
  app.add_flag("--no-kernel", options.no_kernel, "no hook in the kernel");
  app.add_option_function<std::string>(
         "--max-cpu",
         [&options](const std::string& given) {
           const auto number = parse_share(given);
           if (!number || *number <= 0) {
             throw CLI::ValidationError("--max-cpu", "'" + given + "' is not like 1.5 or 50%");
           }
           if (given.ends_with('%')) {
             options.max_cpu_share = std::min(*number, 1.0);
           } else {
             options.max_cpus = *number;
           }
         },
         "CPUs that may be busy with it on average; with %: of all there are")
      ->type_name("N|N%");
  app.add_flag("--polite", options.polite, "leave the page cache as it was found");
}

void describe_where(CLI::App& app, WhereCommand& command) {
  app.footer(kWhereNotes);
  app.add_option("FILE", command.file, "the file, or the whole statement if SQL is left away")
      ->required();
  app.add_option("SQL", command.sql, "the statement");
  add_server(app, command.options.on, "ask this server; the file is there");
  app.add_flag("--measure", command.options.measure, "run every hook that may and can");
  app.add_option("--rounds", command.options.rounds, "of measuring; default 3")
      ->type_name("N")
      ->check(CLI::Range(1U, 99U));
  app.add_option("--threads", command.options.query.threads, "default: one per CPU")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  add_limits(app, command.options.query);
  app.add_flag("--json", command.json, "the table as a JSON object");
  app.add_option("--html", command.html, "writes the table with its plots to this file, too")
      ->type_name("FILE");
}

}  // namespace grapnel::cli
