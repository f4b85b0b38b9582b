#include "sql/type_names.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/limits.h"
#include "sql/names.h"
#include "sql/postgres.h"
#include "sql/refusal.h"

namespace grapnel::sql {

namespace {

using op::Type;
using op::TypeKind;

struct TypeName {
  std::string_view name;
  TypeKind kind;
};
constexpr TypeName kTypeNames[] = {
    {"boolean", TypeKind::boolean},     {"bool", TypeKind::boolean},
    {"logical", TypeKind::boolean},     {"tinyint", TypeKind::tinyint},
    {"int1", TypeKind::tinyint},        {"smallint", TypeKind::smallint},
    {"int2", TypeKind::smallint},       {"int16", TypeKind::smallint},
    {"short", TypeKind::smallint},      {"integer", TypeKind::integer},
    {"int", TypeKind::integer},         {"int4", TypeKind::integer},
    {"int32", TypeKind::integer},       {"signed", TypeKind::integer},
    {"bigint", TypeKind::bigint},       {"int8", TypeKind::bigint},
    {"int64", TypeKind::bigint},        {"long", TypeKind::bigint},
    {"hugeint", TypeKind::hugeint},     {"int128", TypeKind::hugeint},
    {"utinyint", TypeKind::utinyint},   {"uint8", TypeKind::utinyint},
    {"usmallint", TypeKind::usmallint}, {"uint16", TypeKind::usmallint},
    {"uinteger", TypeKind::uinteger},   {"uint32", TypeKind::uinteger},
    {"ubigint", TypeKind::ubigint},     {"uint64", TypeKind::ubigint},
    {"decimal", TypeKind::decimal},     {"numeric", TypeKind::decimal},
    {"dec", TypeKind::decimal},         {"double", TypeKind::real},
    {"float8", TypeKind::real},         {"double precision", TypeKind::real},
    {"varchar", TypeKind::varchar},     {"text", TypeKind::varchar},
    {"string", TypeKind::varchar},      {"char", TypeKind::varchar},
    {"bpchar", TypeKind::varchar},      {"character varying", TypeKind::varchar},
    {"date", TypeKind::date},
};

constexpr const char* kTypesHint =
    "types: BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, HUGEINT, UTINYINT, USMALLINT, UINTEGER, "
    "UBIGINT, DECIMAL(p,s), DOUBLE, VARCHAR, DATE";

Result<Type> decimal_type(const std::vector<int64_t>& modifiers, uint32_t offset) {
  if (modifiers.empty()) return Type::decimal(18, 3);  // DuckDB's default
  const int64_t precision = modifiers[0];
  const int64_t scale = modifiers.size() > 1 ? modifiers[1] : 0;
  if (modifiers.size() > 2 || precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    return refuse(offset, "DECIMAL needs 1 to 38 digits, and no more of them after the point",
                  "for example DECIMAL(15,2)");
  }
  return Type::decimal(static_cast<int>(precision), static_cast<int>(scale));
}

}  // namespace

Result<Type> type_by_name(std::string_view name, const std::vector<int64_t>& modifiers,
                          uint32_t offset) {
  const auto* found =
      std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                   [&](const TypeName& candidate) { return same_name(candidate.name, name); });
  if (found == std::end(kTypeNames)) {
    if (same_name(name, "float") || same_name(name, "real") || same_name(name, "float4"))
      return refuse(offset, "there is no 32-bit floating point type", "use DOUBLE");
    return refuse(offset, "there is no type " + std::string(name), kTypesHint);
  }
  if (found->kind == TypeKind::decimal) return decimal_type(modifiers, offset);
  if (!modifiers.empty() && found->kind != TypeKind::varchar)
    return refuse(offset, "type " + std::string(name) + " takes no numbers in parentheses");
  return Type::of(found->kind);
}

namespace {

/// Reads `columns => '...'` token by token.
class ColumnListParser {
 public:
  ColumnListParser(std::string_view text, const std::function<uint32_t(uint32_t)>& place,
                   const PgQuery__ScanResult& tokens)
      : text_(text), place_(place), tokens_(tokens) {}

  Result<std::vector<source::Column>> run() {
    std::vector<source::Column> columns;
    std::unordered_set<std::string> names;
    do {
      const uint32_t begin = offset();
      GRAPNEL_TRY(std::string name, take_name("a column's name"));
      if (!names.insert(lower(name)).second)
        return refuse(begin, "column " + name + " is declared twice");
      GRAPNEL_TRY(const Type type, take_type());
      columns.push_back({std::move(name), type});
      if (columns.size() > limits::kColumns) {
        return refuse(
            begin, "more than " + std::to_string(limits::kColumns) + " columns (limit of grapnel)");
      }
    } while (take(','));
    if (at_ < tokens_.n_tokens)
      return refuse(offset(), "expected a comma between columns, not '" + std::string(word()) + "'",
                    "write columns => 'a BIGINT, b DECIMAL(15,2), c VARCHAR'");
    return columns;
  }

 private:
  [[nodiscard]] uint32_t offset() const {
    return place_(at_ < tokens_.n_tokens ? static_cast<uint32_t>(tokens_.tokens[at_]->start)
                                         : static_cast<uint32_t>(text_.size()));
  }
  [[nodiscard]] std::string_view word() const {
    const PgQuery__ScanToken& token = *tokens_.tokens[at_];
    return text_.substr(static_cast<size_t>(token.start),
                        static_cast<size_t>(token.end - token.start));
  }
  bool take(char c) {
    if (at_ == tokens_.n_tokens || static_cast<int>(tokens_.tokens[at_]->token) != c) return false;
    at_++;
    return true;
  }

  Result<std::string> take_name(const char* what) {
    const bool is_word = at_ < tokens_.n_tokens &&
                         (tokens_.tokens[at_]->token == PG_QUERY__TOKEN__IDENT ||
                          tokens_.tokens[at_]->keyword_kind != PG_QUERY__KEYWORD_KIND__NO_KEYWORD);
    if (!is_word) {
      const std::string found = at_ == tokens_.n_tokens ? "the end" : std::string(word());
      return refuse(offset(),
                    std::string("expected ") + what + " in the list of columns, not " + found,
                    "write columns => 'a BIGINT, b DECIMAL(15,2), c VARCHAR'");
    }
    std::string name = identifier_name(word());
    at_++;
    return name;
  }

  Result<Type> take_type() {
    const uint32_t begin = offset();
    GRAPNEL_TRY(std::string name, take_name("a type"));
    if (at_ < tokens_.n_tokens && (tokens_.tokens[at_]->token == PG_QUERY__TOKEN__PRECISION ||
                                   tokens_.tokens[at_]->token == PG_QUERY__TOKEN__VARYING)) {
      name += " " + std::string(word());
      at_++;
    }
    std::vector<int64_t> modifiers;
    if (take('(')) {
      do {
        GRAPNEL_TRY(const int64_t number, take_number());
        modifiers.push_back(number);
      } while (take(','));
      if (!take(')')) return refuse(offset(), "expected ) after the numbers of a type");
    }
    return type_by_name(name, modifiers, begin);
  }

  Result<int64_t> take_number() {
    int64_t number = 0;
    if (at_ < tokens_.n_tokens) {
      const std::string_view digits = word();
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error == std::errc() && end == digits.data() + digits.size()) {
        at_++;
        return number;
      }
    }
    return refuse(offset(), "expected a whole number", "for example DECIMAL(15,2)");
  }

  std::string_view text_;
  const std::function<uint32_t(uint32_t)>& place_;
  const PgQuery__ScanResult& tokens_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<source::Column>> parse_column_list(
    std::string_view text, const std::function<uint32_t(uint32_t)>& place) {
  pg::Failure failure;
  const pg::Tokens tokens = pg::scan(std::string(text), failure);
  if (!tokens)
    return refuse(place(0), "the list of columns cannot be read: " + failure.message,
                  "write columns => 'a BIGINT, b DECIMAL(15,2), c VARCHAR'");
  if (tokens->n_tokens == 0) return refuse(place(0), "the list of columns is empty");
  return ColumnListParser(text, place, *tokens).run();
}

}  // namespace grapnel::sql
