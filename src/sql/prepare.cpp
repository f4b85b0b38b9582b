#include "sql/prepare.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/limits.h"
#include "sql/names.h"
#include "sql/postgres.h"
#include "sql/refusal.h"

namespace grapnel::sql {

namespace {

struct Token {
  uint32_t begin = 0;
  uint32_t end = 0;
  PgQuery__Token kind = PG_QUERY__TOKEN__NUL;
  bool keyword = false;
};

constexpr auto kOpenParenthesis = PG_QUERY__TOKEN__ASCII_40;
constexpr auto kCloseParenthesis = PG_QUERY__TOKEN__ASCII_41;
constexpr auto kComma = PG_QUERY__TOKEN__ASCII_44;
constexpr auto kPoint = PG_QUERY__TOKEN__ASCII_46;
constexpr auto kSemicolon = PG_QUERY__TOKEN__ASCII_59;
constexpr auto kOpenBracket = PG_QUERY__TOKEN__ASCII_91;
constexpr auto kCloseBracket = PG_QUERY__TOKEN__ASCII_93;

/// PostgreSQL cuts longer names (NAMEDATALEN).
constexpr size_t kPostgresNameBytes = 63;
/// The parser's stack grows with nesting; its frames are small enough for twice our own limit.
constexpr size_t kParserDepth = 2 * limits::kExpressionDepth;

/// Reserved words of things that are not supported. Refused before the parser sees them: the
/// message is better, and chains of them would nest without limit.
struct RefusedWord {
  PgQuery__Token kind;
  const char* message;
  const char* hint;
};
constexpr std::array<RefusedWord, 9> kRefusedWords = {{
    {PG_QUERY__TOKEN__JOIN, "joins are not supported",
     "a query reads one file; query each file by itself"},
    {PG_QUERY__TOKEN__UNION, "UNION is not supported", "run the queries one after the other"},
    {PG_QUERY__TOKEN__INTERSECT, "INTERSECT is not supported", "a query is one SELECT"},
    {PG_QUERY__TOKEN__EXCEPT, "EXCEPT is not supported", "a query is one SELECT"},
    {PG_QUERY__TOKEN__CASE, "CASE is not supported", "put the condition into WHERE"},
    {PG_QUERY__TOKEN__WITH, "WITH is not supported", "a query is one SELECT on one file"},
    {PG_QUERY__TOKEN__INTO, "SELECT INTO is not supported", "grapnel reads files and writes none"},
    {PG_QUERY__TOKEN__WINDOW, "windows are not supported", "use GROUP BY for aggregates"},
    {PG_QUERY__TOKEN__SELECT, "subqueries are not supported", "a query is one SELECT on one file"},
}};

bool is_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
    if (size == 0 || i + size > text.size()) return false;
    for (size_t k = 1; k < size; k++) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += size;
  }
  return true;
}

bool has_capital(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

/// Upper bound of how deep the parser's tree can get, token by token.
class DepthBound {
 public:
  /// False if the tree might get deeper than kParserDepth.
  bool add(const Token& token) {
    switch (token.kind) {
      case kOpenParenthesis:
      case kOpenBracket:
        count(1);
        levels_.push_back(0);
        break;
      case kCloseParenthesis:
      case kCloseBracket:
        if (levels_.size() > 1) {
          total_ -= levels_.back();
          levels_.pop_back();
        }
        break;
      // Operands of AND, OR and commas are brothers in the tree.
      case kComma:
      case PG_QUERY__TOKEN__AND:
      case PG_QUERY__TOKEN__OR:
      case PG_QUERY__TOKEN__WHERE:
      case PG_QUERY__TOKEN__HAVING:
        total_ -= levels_.back();
        levels_.back() = 0;
        break;
      case kPoint:
      case PG_QUERY__TOKEN__IDENT:
      case PG_QUERY__TOKEN__ICONST:
      case PG_QUERY__TOKEN__FCONST:
      case PG_QUERY__TOKEN__SCONST:
        break;
      default:
        count(1);
    }
    return total_ <= kParserDepth;
  }

 private:
  void count(size_t n) {
    levels_.back() += n;
    total_ += n;
  }
  std::vector<size_t> levels_ = {0};
  size_t total_ = 0;
};

Error scan_error(std::string_view sql, const pg::Failure& failure) {
  const uint32_t offset = byte_of_character(sql, failure.character);
  const std::string what = failure.message.substr(0, failure.message.find(" at or near"));
  return refuse(offset, what + " at " + token_at(sql, offset));
}

Status check_text(std::string_view sql) {
  if (sql.size() > limits::kSqlTextBytes) {
    return refuse(0, "the SQL text is longer than " + std::to_string(limits::kSqlTextBytes) +
                         " bytes (limit of grapnel)");
  }
  if (const size_t nul = sql.find('\0'); nul != std::string_view::npos)
    return refuse(static_cast<uint32_t>(nul), "the SQL text contains a NUL byte");
  if (!is_utf8(sql)) return refuse(0, "the SQL text is not valid UTF-8");
  return ok_status();
}

Result<std::vector<Token>> scan(std::string_view sql) {
  pg::Failure failure;
  const pg::Tokens scanned = pg::scan(std::string(sql), failure);
  if (!scanned) return scan_error(sql, failure);
  std::vector<Token> tokens;
  for (size_t i = 0; i < scanned->n_tokens; i++) {
    const PgQuery__ScanToken& from = *scanned->tokens[i];
    if (from.token == PG_QUERY__TOKEN__SQL_COMMENT || from.token == PG_QUERY__TOKEN__C_COMMENT)
      continue;
    const auto begin = static_cast<uint32_t>(from.start);
    switch (from.token) {
      case PG_QUERY__TOKEN__USCONST:
      case PG_QUERY__TOKEN__UIDENT:
        return refuse(begin, "U&'...' and U&\"...\" are not supported",
                      "write the characters themselves, in UTF-8");
      case PG_QUERY__TOKEN__PARAM:
        return refuse(begin, "parameters are not supported", "write the value into the statement");
      default:
        break;
    }
    tokens.push_back({begin, static_cast<uint32_t>(from.end), from.token,
                      from.keyword_kind != PG_QUERY__KEYWORD_KIND__NO_KEYWORD});
  }
  return tokens;
}

}  // namespace

class Preparer {
 public:
  Preparer(std::string_view sql, std::vector<Token> tokens)
      : sql_(sql), tokens_(std::move(tokens)) {}

  Result<PreparedText> run() {
    GRAPNEL_CHECK(take_prefix());
    DepthBound bound;
    for (at_ = first_; at_ < tokens_.size(); at_++) {
      if (!bound.add(tokens_[at_])) {
        return refuse(tokens_[at_].begin,
                      "the expression is nested too deeply (limit of grapnel: " +
                          std::to_string(limits::kExpressionDepth) + " levels)",
                      "use IN for long lists of alternatives, or split the expression");
      }
      GRAPNEL_CHECK(check());
      rewrite();
    }
    copy_until(static_cast<uint32_t>(sql_.size()));
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string_view text(size_t token) const {
    return sql_.substr(tokens_[token].begin, tokens_[token].end - tokens_[token].begin);
  }
  /// Kind of the token `distance` from the current one; NUL beyond the ends.
  [[nodiscard]] PgQuery__Token kind(int distance) const {
    const auto i = static_cast<size_t>(static_cast<int64_t>(at_) + distance);
    return i < tokens_.size() && i >= first_ ? tokens_[i].kind : PG_QUERY__TOKEN__NUL;
  }

  /// Takes EXPLAIN [ANALYZE] and demands SELECT.
  Status take_prefix() {
    if (tokens_.empty() || tokens_[0].kind == kSemicolon)
      return refuse(0, "the statement is empty", "type SELECT ... FROM 'file.csv'");
    if (tokens_[0].kind == PG_QUERY__TOKEN__EXPLAIN) {
      out_.kind = StatementKind::explain;
      first_ = 1;
      if (first_ < tokens_.size() && (tokens_[first_].kind == PG_QUERY__TOKEN__ANALYZE ||
                                      tokens_[first_].kind == PG_QUERY__TOKEN__ANALYSE)) {
        out_.kind = StatementKind::explain_analyze;
        first_ = 2;
      } else if (has_json_option()) {
        out_.kind = StatementKind::explain_json;
        first_ = 5;
      }
    }
    if (first_ == tokens_.size()) {
      return refuse(static_cast<uint32_t>(sql_.size()), "EXPLAIN of what?",
                    "type EXPLAIN SELECT ... FROM 'file.csv'");
    }
    const Token& first = tokens_[first_];
    if (first.kind != PG_QUERY__TOKEN__SELECT) return refuse_start(first);
    replace(0, first.begin, "");
    if (first_ + 1 < tokens_.size()) out_.distinct_offset = tokens_[first_ + 1].begin;
    return ok_status();
  }

  /// EXPLAIN (FORMAT JSON)
  [[nodiscard]] bool has_json_option() const {
    return tokens_.size() > 4 && tokens_[1].kind == kOpenParenthesis &&
           upper(text(2)) == "FORMAT" && upper(text(3)) == "JSON" &&
           tokens_[4].kind == kCloseParenthesis;
  }

  [[nodiscard]] Error refuse_start(const Token& token) const {
    const std::string word = upper(sql_.substr(token.begin, token.end - token.begin));
    if (first_ > 0 && token.kind == kOpenParenthesis)
      return refuse(token.begin, "these options of EXPLAIN are not supported",
                    "there are EXPLAIN SELECT ..., EXPLAIN ANALYZE SELECT ... and EXPLAIN (FORMAT "
                    "JSON) SELECT ...");
    if (word == "WITH")
      return refuse(token.begin, "WITH is not supported", "a query is one SELECT");
    if (word == "FROM")
      return refuse(token.begin, "a statement begins with SELECT",
                    "write SELECT ... FROM ... instead of FROM ... SELECT ...");
    if (word == "DESCRIBE" || word == "SHOW" || word == "SUMMARIZE")
      return refuse(token.begin, word + " is not supported",
                    "`grapnel schema FILE` shows the columns of a file");
    return refuse(
        token.begin,
        "a statement begins with SELECT or EXPLAIN, not with " + token_at(sql_, token.begin),
        "grapnel reads files and writes none");
  }

  Status check() {
    const Token& token = tokens_[at_];
    if (token.kind == kSemicolon && depth_ == 0) {
      for (size_t i = at_ + 1; i < tokens_.size(); i++) {
        if (tokens_[i].kind != kSemicolon)
          return refuse(tokens_[i].begin, "more than one statement",
                        "run them one after the other");
      }
    }
    if (token.kind == PG_QUERY__TOKEN__SCONST && depth_ == 0 && in_from_ && kind(-1) == kComma)
      return refuse(token.begin, "a query reads one file", "query each file by itself");
    if (token.kind == PG_QUERY__TOKEN__FROM && at_ == first_ + 1)
      return refuse(token.begin, "the SELECT list is empty", "write SELECT * for all columns");
    const bool is_name = kind(-1) == PG_QUERY__TOKEN__AS || kind(-1) == kPoint;
    if (is_name || at_ == first_) return ok_status();
    for (const RefusedWord& word : kRefusedWords) {
      if (word.kind == token.kind) return refuse(token.begin, word.message, word.hint);
    }
    return ok_status();
  }

  void rewrite() {
    const Token& token = tokens_[at_];
    switch (token.kind) {
      case PG_QUERY__TOKEN__FROM:
        in_from_ = in_from_ || (depth_ == 0 && !is_distinct_from(0));
        return;
      case PG_QUERY__TOKEN__WHERE:
      case PG_QUERY__TOKEN__GROUP_P:
      case PG_QUERY__TOKEN__HAVING:
      case PG_QUERY__TOKEN__ORDER:
        in_from_ = in_from_ && depth_ > 0;
        return;
      case kOpenParenthesis:
        depth_++;
        return;
      case kCloseParenthesis:
        depth_ -= depth_ > 0 ? 1 : 0;
        return;
      case PG_QUERY__TOKEN__SCONST:
        rewrite_path(token);
        return;
      case PG_QUERY__TOKEN__ICONST:
        rewrite_interval(token);
        return;
      case PG_QUERY__TOKEN__IDENT:
        rewrite_name(token);
        return;
      case PG_QUERY__TOKEN__Op:
        rewrite_operator(token);
        return;
      default:
        // An alias may be any keyword, and at this depth AS means nothing else.
        if (token.keyword && depth_ == 0 && kind(-1) == PG_QUERY__TOKEN__AS) rewrite_name(token);
    }
  }

  /// True if the FROM at this distance belongs to IS [NOT] DISTINCT FROM.
  [[nodiscard]] bool is_distinct_from(int distance) const {
    const PgQuery__Token before = kind(distance - 2);
    return kind(distance - 1) == PG_QUERY__TOKEN__DISTINCT &&
           (before == PG_QUERY__TOKEN__IS || before == PG_QUERY__TOKEN__NOT);
  }

  void rewrite_path(const Token& token) {
    const bool after_from = depth_ == 0 && kind(-1) == PG_QUERY__TOKEN__FROM;
    if (!after_from || is_distinct_from(-1)) return;
    replace(token.begin, token.begin, "\"" + std::string(kPathFunction) + "\"(");
    replace(token.end, token.end, ")");
  }

  void rewrite_interval(const Token& token) {
    if (kind(-1) != PG_QUERY__TOKEN__INTERVAL || at_ + 1 == tokens_.size()) return;
    const Token& unit = tokens_[at_ + 1];
    if (unit.kind != PG_QUERY__TOKEN__IDENT && !unit.keyword) return;
    replace(token.begin, unit.end,
            "'" + std::string(text(at_)) + " " + std::string(text(at_ + 1)) + "'");
    at_++;
  }

  void rewrite_name(const Token& token) {
    const std::string_view written = text(at_);
    const std::string name = identifier_name(written);
    if (name.size() > kPostgresNameBytes) {
      out_.long_names_.push_back(name);
      replace(token.begin, token.end,
              "\"\x01" + std::to_string(out_.long_names_.size() - 1) + "\"");
    } else if (written[0] != '"' && has_capital(written)) {
      replace(token.begin, token.end, "\"" + name + "\"");
    }
  }

  void rewrite_operator(const Token& token) {
    const std::string_view written = text(at_);
    if (written == "//") {
      copy_until(token.begin);
      out_.integer_divisions_.push_back(static_cast<uint32_t>(out_.text.size()));
      replace(token.begin, token.end, "%");
    } else if (written == "==") {
      replace(token.begin, token.end, "=");
    } else {
      // PostgreSQL takes %- and !=- for operators of their own.
      const size_t size = written.starts_with("!=") ? 2 : written[0] == '%' ? 1 : 0;
      if (size > 0 && written.find_first_not_of("+-", size) == std::string_view::npos)
        replace(token.begin + static_cast<uint32_t>(size),
                token.begin + static_cast<uint32_t>(size), " ");
    }
  }

  void copy_until(uint32_t end) {
    out_.text += sql_.substr(copied_, end - copied_);
    copied_ = end;
  }

  void replace(uint32_t begin, uint32_t end, const std::string& by) {
    copy_until(begin);
    out_.edits_.push_back({static_cast<uint32_t>(out_.text.size()),
                           static_cast<uint32_t>(by.size()), begin, end - begin});
    out_.text += by;
    copied_ = end;
  }

  std::string_view sql_;
  std::vector<Token> tokens_;
  PreparedText out_;
  size_t first_ = 0;  ///< token SELECT
  size_t at_ = 0;     ///< current token
  int depth_ = 0;     ///< of parentheses
  bool in_from_ = false;
  uint32_t copied_ = 0;  ///< bytes of sql_ that are done
};

Result<PreparedText> prepare(std::string_view sql) {
  GRAPNEL_CHECK(check_text(sql));
  GRAPNEL_TRY(std::vector<Token> tokens, scan(sql));
  return Preparer(sql, std::move(tokens)).run();
}

uint32_t PreparedText::original_offset(uint32_t offset) const {
  const auto after = std::upper_bound(edits_.begin(), edits_.end(), offset,
                                      [](uint32_t o, const Edit& edit) { return o < edit.offset; });
  if (after == edits_.begin()) return offset;
  const Edit& edit = *(after - 1);
  if (offset < edit.offset + edit.size) return edit.original_offset;
  return edit.original_offset + edit.original_size + (offset - edit.offset - edit.size);
}

bool PreparedText::is_integer_division(uint32_t offset) const {
  return std::binary_search(integer_divisions_.begin(), integer_divisions_.end(), offset);
}

std::string PreparedText::original_name(std::string_view name) const {
  size_t number = 0;
  if (name.size() > 1 && name[0] == '\x01' &&
      std::from_chars(name.data() + 1, name.data() + name.size(), number).ec == std::errc() &&
      number < long_names_.size())
    return long_names_[number];
  return std::string(name);
}

uint32_t byte_of_character(std::string_view text, int character) {
  size_t i = 0;
  for (int seen = 1; seen < character && i < text.size(); seen++) {
    i++;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) i++;
  }
  return static_cast<uint32_t>(i);
}

std::string token_at(std::string_view sql, uint32_t offset) {
  if (offset >= sql.size()) return "the end of the statement";
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  size_t end = offset + 1;
  if (const char quote = sql[offset]; quote == '\'' || quote == '"') {
    end = std::min(sql.find(quote, end), sql.size() - 1) + 1;
  } else if (is_word(quote)) {
    while (end < sql.size() && is_word(sql[end])) end++;
  }
  constexpr size_t kLongest = 40;
  size_t cut = std::min(end, offset + kLongest);
  while (cut < end && (static_cast<unsigned char>(sql[cut]) & 0xC0) == 0x80) cut--;
  std::string token(sql.substr(offset, cut - offset));
  if (cut < end) token += "...";
  return token[0] == '\'' || token[0] == '"' ? token : "\"" + token + "\"";
}

}  // namespace grapnel::sql
