// libpg_query, owned: PostgreSQL's scanner and parser with results that free themselves. Internal
// to src/sql.
#pragma once

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <memory>
#include <string>

namespace grapnel::sql::pg {

struct Free {
  void operator()(PgQuery__ScanResult* p) const {
    pg_query__scan_result__free_unpacked(p, nullptr);
  }
  void operator()(PgQuery__ParseResult* p) const {
    pg_query__parse_result__free_unpacked(p, nullptr);
  }
};

using Tokens = std::unique_ptr<PgQuery__ScanResult, Free>;
using Tree = std::unique_ptr<PgQuery__ParseResult, Free>;

/// What PostgreSQL has against a text: its message and the place, in characters from 1 (0: none).
struct Failure {
  std::string message;
  int character = 0;
};

/// Tokens of `text`, comments included; or null and `failure`.
inline Tokens scan(const std::string& text, Failure& failure) {
  const PgQueryScanResult result = pg_query_scan(text.c_str());
  Tokens tokens;
  if (result.error != nullptr)
    failure = {result.error->message, result.error->cursorpos};
  else
    tokens.reset(pg_query__scan_result__unpack(nullptr, result.pbuf.len,
                                               reinterpret_cast<const uint8_t*>(result.pbuf.data)));
  pg_query_free_scan_result(result);
  return tokens;
}

/// Statements of `text`; or null and `failure`.
inline Tree parse(const std::string& text, Failure& failure) {
  const PgQueryProtobufParseResult result = pg_query_parse_protobuf(text.c_str());
  Tree tree;
  if (result.error != nullptr)
    failure = {result.error->message, result.error->cursorpos};
  else
    tree.reset(pg_query__parse_result__unpack(
        nullptr, result.parse_tree.len, reinterpret_cast<const uint8_t*>(result.parse_tree.data)));
  pg_query_free_protobuf_parse_result(result);
  return tree;
}

}  // namespace grapnel::sql::pg
