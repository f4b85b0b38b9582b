#include "random_query.h"

namespace grapnel::lower_test {

using op::Type;
using op::TypeKind;

namespace {

bool is_exact(Type type) { return type.is_exact_number(); }
bool is_text(Type type) { return type.kind == TypeKind::varchar; }
bool is_date(Type type) { return type.kind == TypeKind::date; }
bool is_any(Type) { return true; }

}  // namespace

std::string RandomCase::digits(size_t most) {
  std::string text;
  for (size_t i = below(most) + 1; i > 0; i--) text += static_cast<char>('0' + below(10));
  return text;
}

TableOptions RandomCase::make_table() {
  static const std::vector<Type> kTypes = {
      Type::of(TypeKind::integer),  Type::of(TypeKind::bigint),   Type::decimal(15, 2),
      Type::decimal(15, 2),         Type::of(TypeKind::varchar),  Type::of(TypeKind::varchar),
      Type::of(TypeKind::date),     Type::of(TypeKind::date),     Type::of(TypeKind::boolean),
      Type::of(TypeKind::real),     Type::of(TypeKind::tinyint),  Type::of(TypeKind::smallint),
      Type::of(TypeKind::utinyint), Type::of(TypeKind::uinteger), Type::of(TypeKind::ubigint),
      Type::of(TypeKind::hugeint),  Type::decimal(4, 1),          Type::decimal(18, 6),
      Type::decimal(38, 4)};
  TableOptions table;
  table.delimiter = ",|\t;"[below(4)];
  table.quote = chance(70) ? '"' : '\0';
  table.trailing_delimiter = chance(20);
  const size_t columns = 1 + below(chance(10) ? 40 : 9);
  for (size_t i = 0; i < columns; i++)
    table.columns.push_back({"c" + std::to_string(i), kTypes[below(kTypes.size())]});
  if (columns == 1) table.trailing_delimiter = false;
  return table;
}

std::string RandomCase::odd_text() {
  static const std::vector<std::string> kOdd = {
      "",           "-",   "+",   "x", "1e3", " 5", "5 ", ".5", "5.", "--1", "99999999999999999999",
      "1994-02-30", "nan", "0x1", "\\"};
  return kOdd[below(kOdd.size())];
}

std::string RandomCase::value_text(Type type, const TableOptions& table) {
  std::string text;
  switch (type.kind) {
    case TypeKind::boolean:
      text = chance(50) ? "true" : chance(50) ? "false" : chance(50) ? "t" : "0";
      break;
    case TypeKind::date: {
      char date[32];
      snprintf(date, sizeof date, "%04u-%02u-%02u", static_cast<unsigned>(1992 + below(8)),
               static_cast<unsigned>(1 + below(12)), static_cast<unsigned>(1 + below(28)));
      text = chance(2) ? "1996-02-29" : date;
      break;
    }
    case TypeKind::varchar: {
      for (size_t i = below(chance(10) ? 80 : 10); i > 0; i--)
        text += chance(90)   ? std::string(1, static_cast<char>('a' + below(4)))
                : chance(50) ? " "
                             : "\xc3\xa9";
      break;
    }
    case TypeKind::real:
      text = (chance(20) ? "-" : "") + digits(4) + "." + digits(chance(5) ? 18 : 3);
      break;
    case TypeKind::decimal: {
      const size_t whole = static_cast<size_t>(type.precision - type.scale);
      text = (chance(20) ? "-" : "") + digits(chance(5) ? whole : std::min<size_t>(whole, 4));
      if (chance(80)) text += "." + digits(type.scale);
      break;
    }
    case TypeKind::tinyint:
      text = std::to_string(static_cast<int>(below(256)) - 128);
      break;
    case TypeKind::utinyint:
      text = std::to_string(below(256));
      break;
    default: {
      const bool is_unsigned = op::range_of(type).least == 0;
      text = (!is_unsigned && chance(20) ? "-" : "") + digits(chance(3) ? 9 : 4);
      if (chance(3) && op::range_of(type).greatest > Int128{1} << 62) text = digits(18);
    }
  }
  if (table.quote != '\0' && (chance(5) || (is_text(type) && chance(20)))) {
    if (is_text(type) && chance(30))
      text += std::string(1, table.delimiter) + (chance(50) ? "\n" : "\"\"");
    text = "\"" + text + "\"";
  }
  return text;
}

std::string RandomCase::make_content(const TableOptions& table, size_t records) {
  std::string content;
  const int nulls = chance(50) ? 0 : 10;
  // Per mille of records: most cases have no bad value at all, since one ends the query.
  const size_t odd = chance(70) ? 0 : 1 + below(3);
  const bool carriage_returns = chance(20);
  for (size_t i = 0; i < records; i++) {
    const bool is_odd = below(1000) < odd;
    for (size_t c = 0; c < table.columns.size(); c++) {
      if (c > 0) content += table.delimiter;
      if (chance(nulls)) continue;
      content += is_odd && chance(50) ? odd_text() : value_text(table.columns[c].type, table);
    }
    if (table.trailing_delimiter) content += table.delimiter;
    if (is_odd && chance(20)) content += table.delimiter;
    content += carriage_returns ? "\r\n" : "\n";
    if (chance(1)) content += "\n";
  }
  if (chance(20) && !content.empty()) content.pop_back();
  return content;
}

const source::Column* RandomCase::pick(const TableOptions& table, bool (*wanted)(Type)) {
  std::vector<const source::Column*> found;
  for (const auto& column : table.columns) {
    if (wanted(column.type)) found.push_back(&column);
  }
  return found.empty() ? nullptr : found[below(found.size())];
}

std::string RandomCase::literal(Type type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return chance(50) ? "TRUE" : "FALSE";
    case TypeKind::date:
      return "DATE '" + std::to_string(1992 + below(8)) + "-0" + std::to_string(1 + below(9)) +
             "-1" + std::to_string(below(10)) + "'";
    case TypeKind::varchar: {
      std::string text;
      for (size_t i = below(4); i > 0; i--) text += static_cast<char>('a' + below(4));
      return "'" + text + "'";
    }
    case TypeKind::real:
      return digits(3) + "." + digits(2) + "e0";
    case TypeKind::decimal:
      return (chance(20) ? "-" : "") + digits(3) + "." + digits(2);
    default:
      return (chance(20) ? "-" : "") + digits(3);
  }
}

/// An exact number.
std::string RandomCase::number(const TableOptions& table, int depth) {
  const source::Column* column = pick(table, is_exact);
  if (column == nullptr || chance(15)) return chance(50) ? digits(2) : digits(2) + "." + digits(1);
  if (depth <= 0 || chance(30)) return column->name;
  const std::string a = number(table, depth - 1), b = number(table, depth - 1);
  switch (below(8)) {
    case 0:
    case 1:
      return "(" + a + " + " + b + ")";
    case 2:
      return "(" + a + " - " + b + ")";
    case 3:
    case 4:
      return "(" + a + " * " + b + ")";
    case 5:
      return "(-" + a + ")";
    case 6:
      return column->type.is_integer()
                 ? "(" + column->name + " % " + std::to_string(1 + below(9)) + ")"
                 : a;
    default:
      return column->type.is_integer()
                 ? "(" + column->name + " // " + std::to_string(1 + below(9)) + ")"
                 : "CAST(" + a + " AS DECIMAL(18,3))";
  }
}

std::string RandomCase::text_condition(const source::Column& column) {
  static const std::vector<std::string> kPatterns = {"a%",  "%a",         "%ab%", "%",  "a",
                                                     "a_c", "%a%b",       "",     "_",  "%%",
                                                     "b%c", "%\xc3\xa9%", "ab%",  "%_%"};
  return column.name + (chance(20) ? " NOT LIKE '" : " LIKE '") +
         kPatterns[below(kPatterns.size())] + "'";
}

std::string RandomCase::comparison(const TableOptions& table, int depth) {
  static const char* kOperators[] = {"<", "<=", ">", ">=", "=", "<>"};
  const std::string sign = std::string(" ") + kOperators[below(6)] + " ";
  const source::Column* column = pick(table, is_any);
  switch (below(9)) {
    case 0:
      return column->name + (chance(50) ? " IS NULL" : " IS NOT NULL");
    case 1:
      return column->name + " IN (" + literal(column->type) + ", " + literal(column->type) +
             (chance(20) ? ", NULL)" : ")");
    case 2:
      return column->name + " BETWEEN " + literal(column->type) + " AND " + literal(column->type);
    case 3:
      if (const auto* text = pick(table, is_text)) return text_condition(*text);
      break;
    case 4:
      return number(table, depth) + sign + number(table, depth - 1);
    case 5:
      if (const auto* date = pick(table, is_date))
        return date->name + " + " + std::to_string(below(100)) + sign + literal(date->type);
      break;
    case 6: {
      const auto* other = pick(table, is_any);
      if (other->type == column->type) return column->name + sign + other->name;
      break;
    }
    default:
      break;
  }
  return chance(20) ? literal(column->type) + sign + column->name
                    : column->name + sign + literal(column->type);
}

std::string RandomCase::condition(const TableOptions& table, int depth) {
  if (depth <= 0 || chance(50)) return comparison(table, 1);
  const std::string a = condition(table, depth - 1), b = condition(table, depth - 1);
  if (chance(15)) return "NOT (" + a + ")";
  return "(" + a + (chance(50) ? " OR " : " AND ") + b + ")";
}

std::string RandomCase::make_query(const TableOptions& table) {
  std::string where;
  for (size_t i = below(4); i > 0; i--)
    where += (where.empty() ? " WHERE " : " AND ") + condition(table, 2);
  if (chance(30)) {
    std::string outputs;
    for (size_t i = 1 + below(3); i > 0; i--)
      outputs += (outputs.empty() ? "" : ", ") +
                 (chance(70) ? pick(table, is_any)->name : number(table, 2));
    return "SELECT " + outputs + " FROM 'table.csv'" + where;
  }
  std::string outputs, keys;
  for (size_t i = chance(50) ? 0 : 1 + below(3); i > 0; i--) {
    const source::Column* column = pick(table, is_any);
    const std::string key =
        is_exact(column->type) && chance(30) ? column->name + " % 7" : column->name;
    keys += (keys.empty() ? " GROUP BY " : ", ") + key;
    outputs += key + ", ";
  }
  outputs += "count(*)";
  static const char* kAggregates[] = {"sum", "min", "max", "count", "avg"};
  for (size_t i = below(5); i > 0; i--) {
    const std::string aggregate = kAggregates[below(5)];
    const source::Column* column = pick(table, is_any);
    const bool takes_all = aggregate == "min" || aggregate == "max" || aggregate == "count";
    const bool plain = takes_all || column->type.kind == TypeKind::real;
    outputs +=
        ", " + aggregate + "(" + (plain && chance(60) ? column->name : number(table, 2)) + ")";
  }
  return "SELECT " + outputs + " FROM 'table.csv'" + where + keys;
}

}  // namespace grapnel::lower_test
