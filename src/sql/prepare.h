// Makes a text that PostgreSQL's parser takes with DuckDB's meaning, and refuses early what would
// only cost time or stack in the parser. Internal to src/sql.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/parse.h"

namespace grapnel::sql {

/// In place of FROM 'path' the parser sees FROM "<this>"('path'). Nobody types a control character.
inline constexpr std::string_view kPathFunction = "\x01path";

/// A statement after these edits, each of which keeps the way back to the original text:
/// - EXPLAIN and EXPLAIN ANALYZE are taken off the front;
/// - FROM 'path' becomes a function call (a string is no table in PostgreSQL's grammar);
/// - a // b becomes a % b at an offset that is remembered: to PostgreSQL // is an operator with
/// less
///   binding power than + and -, to DuckDB it binds like * and /;
/// - a == b becomes a = b, for the same reason; %- and != - are told apart;
/// - names with capitals are quoted, so that their spelling survives; names of more than 63 bytes,
///   which PostgreSQL would cut, are replaced by a number;
/// - INTERVAL 3 DAYS becomes INTERVAL '3 DAYS'.
class PreparedText {
 public:
  StatementKind kind = StatementKind::query;
  std::string text;
  uint32_t distinct_offset = 0;  ///< of SELECT DISTINCT, in the original text

  /// Offset in the original text for one in `text`. Inside an edit: where the edit begins.
  [[nodiscard]] uint32_t original_offset(uint32_t offset) const;
  /// True if the % at this offset of `text` stands for //.
  [[nodiscard]] bool is_integer_division(uint32_t offset) const;
  /// The name for which the parser saw `name`.
  [[nodiscard]] std::string original_name(std::string_view name) const;

 private:
  friend class Preparer;
  struct Edit {
    uint32_t offset, size;                    ///< in `text`
    uint32_t original_offset, original_size;  ///< in the original
  };
  std::vector<Edit> edits_;                  ///< ascending
  std::vector<uint32_t> integer_divisions_;  ///< ascending
  std::vector<std::string> long_names_;
};

/// Errors: ErrorKind::refused, with positions in `sql`.
Result<PreparedText> prepare(std::string_view sql);

/// Byte offset of character number `character` (from 1) in UTF-8 `text`; its size if beyond.
uint32_t byte_of_character(std::string_view text, int character);

/// The token of `sql` at `offset`, for messages: 'foo', or "the end of the statement".
std::string token_at(std::string_view sql, uint32_t offset);

}  // namespace grapnel::sql
