// The Flight SQL messages that the server understands, decoded by hand: the wheel that Arrow comes
// from has no libarrow_flight_sql. Source: format/FlightSql.proto of Apache Arrow.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grapnel::wire {

/// Action of our own: sends bytes, to measure the link. Its body is their number in decimal digits.
inline constexpr char kLinkAction[] = "grapnel.link";
inline constexpr uint64_t kMostLinkBytes = uint64_t{1} << 30;

/// google.protobuf.Any with a Flight SQL message in it: its name ("CommandStatementQuery") and
/// bytes.
struct FlightSqlMessage {
  std::string name;
  std::string value;
};

/// Invalid if the bytes are no Any, or hold no Flight SQL message.
arrow::Result<FlightSqlMessage> unpack_any(std::string_view bytes);
std::string pack_any(std::string_view name, std::string_view value);

/// Every Flight SQL command is a flat list of at most seven fields, so one shape serves all.
struct FlightSqlFields {
  static constexpr size_t kFields = 8;
  std::array<std::optional<std::string>, kFields> text;
  std::array<std::optional<uint64_t>, kFields> number;
  std::vector<std::string> repeated_text4;  ///< CommandGetTables.table_types
  std::vector<uint32_t> repeated_number1;   ///< CommandGetSqlInfo.info, packed or not
};
arrow::Result<FlightSqlFields> parse_fields(std::string_view bytes);

/// Answer to a metadata command (CommandGetSqlInfo, -Catalogs, -DbSchemas, -Tables, -TableTypes,
/// -PrimaryKeys and relatives). grapnel's tables are paths in FROM, so the lists are empty.
/// NotImplemented for commands that are not known.
arrow::Result<std::shared_ptr<arrow::Table>> metadata_table(const FlightSqlMessage& command);

}  // namespace grapnel::wire
