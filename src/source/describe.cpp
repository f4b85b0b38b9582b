#include "source/source.h"

namespace grapnel::source {
namespace {

/// As a string constant of SQL.
std::string sql_string(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  return out + "'";
}

std::string sql_character(char c) {
  if (c == '\0') return "''";
  if (c == '\t') return "'\\t'";
  return sql_string(std::string_view(&c, 1));
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  return true;
}

/// As an identifier of SQL, quoted where it has to be.
std::string sql_name(std::string_view name) {
  if (is_plain_name(name)) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

std::string declarations(const Layout& layout, const char* separator) {
  std::string text;
  for (const Column& column : layout.columns) {
    if (!text.empty()) text += separator;
    text += sql_name(column.name) + " " + column.type.to_string();
  }
  return sql_string(text);
}

const char* name_of(Format format) {
  switch (format) {
    case Format::csv:
      return "csv";
    case Format::lines:
      return "lines";
    case Format::fixed:
      return "fixed";
  }
  return "";
}

std::string summary(const Source& source) {
  const Layout& layout = source.layout;
  std::string text = std::string("-- ") + name_of(layout.format) + ", " +
                     std::to_string(layout.columns.size()) +
                     (layout.columns.size() == 1 ? " column, " : " columns, ") +
                     std::to_string(source.data_end) + " bytes";
  if (layout.format == Format::fixed)
    text += ", " + std::to_string(source.data_end / layout.record_bytes) + " records of " +
            std::to_string(layout.record_bytes) + " bytes";
  if (layout.dialect.trailing_delimiter) text += ", every record ends with a delimiter";
  return text + "\n";
}

std::string table_function(const Source& source, const char* column_separator) {
  const Layout& layout = source.layout;
  std::string text = std::string(name_of(layout.format)) + "(" + sql_string(source.path);
  if (layout.format == Format::csv) {
    text += ", delim => " + sql_character(layout.dialect.delimiter) + ", quote => " +
            sql_character(layout.dialect.quote) + ", header => " +
            (layout.dialect.header ? "true" : "false");
  }
  if (layout.format != Format::lines)
    text += ", columns => " + declarations(layout, column_separator);
  return text + ")";
}

}  // namespace

std::string table_expression(const Source& source) { return table_function(source, ", "); }

std::string describe(const Source& source) {
  return summary(source) + table_function(source, ",\n") + "\n";
}

}  // namespace grapnel::source
