#include "wire/flight/flight_sql.h"

#include <arrow/api.h>

#include <map>
#include <variant>

#include "wire/flight/protobuf_wire.h"

namespace grapnel::wire {
namespace {

constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr std::string_view kPackage = "arrow.flight.protocol.sql.";

using arrow::field;

std::shared_ptr<arrow::DataType> sql_info_value_type() {
  return arrow::dense_union(
      {field("string_value", arrow::utf8()), field("bool_value", arrow::boolean()),
       field("bigint_value", arrow::int64()), field("int32_bitmask", arrow::int32()),
       field("string_list", arrow::list(field("item", arrow::utf8()))),
       field("int32_to_int32_list_map",
             arrow::map(arrow::int32(), arrow::list(field("item", arrow::int32()))))});
}

using SqlInfoValue = std::variant<std::string, bool, int64_t, int32_t>;

// Numbers: enum SqlInfo of FlightSql.proto.
const std::map<uint32_t, SqlInfoValue>& sql_infos() {
  static const std::map<uint32_t, SqlInfoValue> infos = {
      {0, std::string("grapnel")},             // FLIGHT_SQL_SERVER_NAME
      {1, std::string("0.1")},                 // ..._VERSION
      {2, std::string(ARROW_VERSION_STRING)},  // ..._ARROW_VERSION
      {3, true},                               // ..._READ_ONLY
      {4, true},                               // ..._SQL
      {5, false},                              // ..._SUBSTRAIT
      {8, int32_t{0}},                         // ..._TRANSACTION: none
      {9, true},                               // ..._CANCEL
      {100, int32_t{0}},                       // no statement timeout
      {101, int32_t{0}},                       // no transaction timeout
      {500, false},                            // SQL_DDL_CATALOG
      {501, false},                            // SQL_DDL_SCHEMA
      {502, false},                            // SQL_DDL_TABLE
      {503, int32_t{1}},                       // identifiers: case-insensitive
      {504, std::string("\"")},                // identifier quote
      {505, int32_t{1}},                       // quoted identifiers: case-insensitive
      {506, true},                             // all tables are selectable
  };
  return infos;
}

class SqlInfoTable {
 public:
  arrow::Status add(uint32_t number, const SqlInfoValue& value) {
    ARROW_RETURN_NOT_OK(names_.Append(number));
    ARROW_RETURN_NOT_OK(type_ids_.Append(static_cast<int8_t>(value.index())));
    return std::visit([this](const auto& v) { return append(v); }, value);
  }

  arrow::Result<std::shared_ptr<arrow::Table>> finish() {
    const auto type = sql_info_value_type();
    arrow::ArrayVector children(static_cast<size_t>(type->num_fields()));
    ARROW_ASSIGN_OR_RAISE(children[0], strings_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[1], bools_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[2], longs_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[3], ints_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[4], arrow::MakeEmptyArray(type->field(4)->type()));
    ARROW_ASSIGN_OR_RAISE(children[5], arrow::MakeEmptyArray(type->field(5)->type()));
    ARROW_ASSIGN_OR_RAISE(auto names, names_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto type_ids, type_ids_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto offsets, offsets_.Finish());
    std::vector<std::string> child_names;
    for (const auto& child : type->fields()) child_names.push_back(child->name());
    ARROW_ASSIGN_OR_RAISE(auto values,
                          arrow::DenseUnionArray::Make(*type_ids, *offsets, children, child_names));
    auto schema =
        arrow::schema({field("info_name", arrow::uint32(), false), field("value", type, false)});
    return arrow::Table::Make(schema, {names, values});
  }

 private:
  template <typename Builder, typename Value>
  arrow::Status append_to(Builder& builder, const Value& value) {
    ARROW_RETURN_NOT_OK(offsets_.Append(static_cast<int32_t>(builder.length())));
    return builder.Append(value);
  }
  arrow::Status append(const std::string& value) { return append_to(strings_, value); }
  arrow::Status append(bool value) { return append_to(bools_, value); }
  arrow::Status append(int64_t value) { return append_to(longs_, value); }
  arrow::Status append(int32_t value) { return append_to(ints_, value); }

  arrow::UInt32Builder names_;
  arrow::Int8Builder type_ids_;
  arrow::Int32Builder offsets_;
  arrow::StringBuilder strings_;
  arrow::BooleanBuilder bools_;
  arrow::Int64Builder longs_;
  arrow::Int32Builder ints_;
};

arrow::Result<std::shared_ptr<arrow::Table>> sql_info_table(const std::vector<uint32_t>& wanted) {
  SqlInfoTable table;
  for (const auto& [number, value] : sql_infos()) {
    const bool take =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), number) != wanted.end();
    if (take) ARROW_RETURN_NOT_OK(table.add(number, value));
  }
  return table.finish();
}

std::shared_ptr<arrow::Schema> tables_schema(bool include_schema) {
  arrow::FieldVector fields{
      field("catalog_name", arrow::utf8()), field("db_schema_name", arrow::utf8()),
      field("table_name", arrow::utf8(), false), field("table_type", arrow::utf8(), false)};
  if (include_schema) fields.push_back(field("table_schema", arrow::binary(), false));
  return arrow::schema(fields);
}

std::shared_ptr<arrow::Schema> primary_keys_schema() {
  return arrow::schema(
      {field("catalog_name", arrow::utf8()), field("db_schema_name", arrow::utf8()),
       field("table_name", arrow::utf8(), false), field("column_name", arrow::utf8(), false),
       field("key_name", arrow::utf8()), field("key_sequence", arrow::int32(), false)});
}

arrow::Result<std::shared_ptr<arrow::Table>> table_types() {
  arrow::StringBuilder names;
  ARROW_RETURN_NOT_OK(names.Append("TABLE"));
  ARROW_ASSIGN_OR_RAISE(auto array, names.Finish());
  return arrow::Table::Make(arrow::schema({field("table_type", arrow::utf8(), false)}), {array});
}

}  // namespace

arrow::Result<FlightSqlMessage> unpack_any(std::string_view bytes) {
  ProtobufReader reader(bytes);
  FlightSqlMessage message;
  while (reader.next()) {
    if (!reader.is_bytes()) continue;
    if (reader.field() == 1) message.name = reader.bytes();
    if (reader.field() == 2) message.value = reader.bytes();
  }
  const auto slash = message.name.rfind('/');
  if (slash != std::string::npos) message.name.erase(0, slash + 1);
  if (!reader.ok() || message.name.rfind(kPackage, 0) != 0) {
    return arrow::Status::Invalid(
        "not a Flight SQL command; grapnel serves Flight SQL (ADBC, JDBC, grapnel query --on)");
  }
  message.name.erase(0, kPackage.size());
  return message;
}

std::string pack_any(std::string_view name, std::string_view value) {
  ProtobufWriter writer;
  writer.add_bytes(1, std::string(kTypePrefix) + std::string(kPackage) + std::string(name));
  writer.add_bytes(2, value);
  return writer.take();
}

arrow::Result<FlightSqlFields> parse_fields(std::string_view bytes) {
  ProtobufReader reader(bytes);
  FlightSqlFields fields;
  while (reader.next()) {
    const uint32_t number = reader.field();
    if (number >= FlightSqlFields::kFields) continue;
    if (reader.is_varint()) {
      fields.number[number] = reader.varint();
      if (number == 1) fields.repeated_number1.push_back(static_cast<uint32_t>(reader.varint()));
      continue;
    }
    if (!reader.is_bytes()) continue;
    fields.text[number] = std::string(reader.bytes());
    if (number == 4) fields.repeated_text4.emplace_back(reader.bytes());
    if (number == 1) {  // perhaps a packed list; only CommandGetSqlInfo looks at it
      std::string_view packed = reader.bytes();
      uint64_t value = 0;
      while (!packed.empty() && ProtobufReader::take_varint(packed, value)) {
        fields.repeated_number1.push_back(static_cast<uint32_t>(value));
      }
    }
  }
  if (!reader.ok()) return arrow::Status::Invalid("malformed Flight SQL message");
  return fields;
}

arrow::Result<std::shared_ptr<arrow::Table>> metadata_table(const FlightSqlMessage& command) {
  ARROW_ASSIGN_OR_RAISE(auto fields, parse_fields(command.value));
  if (command.name == "CommandGetSqlInfo") return sql_info_table(fields.repeated_number1);
  if (command.name == "CommandGetTableTypes") return table_types();
  if (command.name == "CommandGetCatalogs") {
    return arrow::Table::MakeEmpty(arrow::schema({field("catalog_name", arrow::utf8(), false)}));
  }
  if (command.name == "CommandGetDbSchemas") {
    return arrow::Table::MakeEmpty(arrow::schema(
        {field("catalog_name", arrow::utf8()), field("db_schema_name", arrow::utf8(), false)}));
  }
  if (command.name == "CommandGetTables") {
    return arrow::Table::MakeEmpty(tables_schema(fields.number[5].value_or(0) != 0));
  }
  if (command.name == "CommandGetPrimaryKeys") {
    return arrow::Table::MakeEmpty(primary_keys_schema());
  }
  return arrow::Status::NotImplemented("the Flight SQL command ", command.name,
                                       " is not supported by grapnel");
}

}  // namespace grapnel::wire
