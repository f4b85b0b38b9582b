#include "sql/table.h"

#include <set>

#include "sql/names.h"
#include "sql/refusal.h"
#include "sql/type_names.h"

namespace grapnel::sql {

namespace {

using source::Format;

constexpr const char* kReaders =
    "readers: FROM 'file.csv' (.csv .tsv .tbl), csv('path', delim => '|', quote => '', header => "
    "false, columns => 'a BIGINT, ...'), lines('path'), fixed('path', columns => '...')";

std::string_view file_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// One argument of a reader function, as it was written.
struct Argument {
  std::string name;  ///< empty: by position
  uint32_t offset = 0;
  const PgQuery__AConst* value = nullptr;
};

class TableConverter {
 public:
  TableConverter(std::string_view sql, const PreparedText& prepared,
                 const ExpressionConverter& converter)
      : sql_(sql), prepared_(prepared), converter_(converter) {}

  Result<TableReference> run(const PgQuery__RangeFunction& node) {
    const PgQuery__FuncCall* call = plain_call(node);
    if (call == nullptr || call->over != nullptr || call->agg_star || call->agg_distinct)
      return refuse(place_of(node), "this form of FROM is not supported", kReaders);
    offset_ = converter_.place(call->location);
    const std::string function = lower(string_of(*call->funcname[0]));
    GRAPNEL_CHECK(read_arguments(*call));
    if (function == kPathFunction) {
      GRAPNEL_CHECK(use_path());
    } else {
      GRAPNEL_CHECK(use_function(function));
      table_.name = function;
    }
    if (node.alias != nullptr) {
      if (node.alias->n_colnames > 0)
        return refuse(offset_, "names for columns behind FROM are not supported",
                      "use aliases in the SELECT list: a AS x");
      table_.name = prepared_.original_name(node.alias->aliasname);
    }
    return std::move(table_);
  }

 private:
  /// The one function call in FROM, or nullptr for anything fancier.
  static const PgQuery__FuncCall* plain_call(const PgQuery__RangeFunction& node) {
    if (node.lateral || node.ordinality || node.is_rowsfrom || node.n_coldeflist > 0 ||
        node.n_functions != 1 || node.functions[0]->node_case != PG_QUERY__NODE__NODE_LIST ||
        node.functions[0]->list->n_items == 0)
      return nullptr;
    const PgQuery__Node& first = *node.functions[0]->list->items[0];
    const bool is_call =
        first.node_case == PG_QUERY__NODE__NODE_FUNC_CALL && first.func_call->n_funcname == 1;
    return is_call ? first.func_call : nullptr;
  }

  uint32_t place_of(const PgQuery__RangeFunction& node) const {
    if (node.n_functions == 0) return 0;
    return converter_.place(location_of(*node.functions[0]));
  }

  Status read_arguments(const PgQuery__FuncCall& call) {
    for (size_t i = 0; i < call.n_args; i++) {
      const PgQuery__Node* node = call.args[i];
      Argument argument;
      argument.offset = converter_.place(location_of(*node));
      if (node->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR) {
        argument.name = lower(prepared_.original_name(node->named_arg_expr->name));
        node = node->named_arg_expr->arg;
      }
      if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR)
        return refuse(argument.offset, "an option of a reader is written name => value",
                      "for example delim => '|'");
      if (node->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return refuse(argument.offset, "an option of a reader is a constant", kReaders);
      argument.value = node->a_const;
      arguments_.push_back(std::move(argument));
    }
    return ok_status();
  }

  Status use_path() {
    GRAPNEL_TRY(table_.request.path, text_of(arguments_[0], "the path"));
    if (table_.request.path.empty())
      return refuse(arguments_[0].offset, "the path of the file is empty", kReaders);
    const std::string_view name = file_name(table_.request.path);
    const size_t point = name.rfind('.');
    const std::string suffix = point == std::string_view::npos ? "" : lower(name.substr(point));
    if (suffix != ".csv" && suffix != ".tsv" && suffix != ".tbl") {
      const std::string what = suffix.empty() ? "a name without suffix" : "the suffix " + suffix;
      const std::string path = "'" + table_.request.path + "'";
      return refuse(arguments_[0].offset, what + " does not say how to read the file",
                    "name the reader: csv(" + path + ") for text with delimiters, lines(" + path +
                        ") for any text, fixed(" + path +
                        ", columns => 'a INTEGER, ...') for packed binary records; there are no "
                        "others");
    }
    table_.request.format = Format::csv;
    table_.name = name.substr(0, point);
    return ok_status();
  }

  Status use_function(const std::string& function) {
    if (function == "csv" || function == "read_csv" || function == "read_csv_auto") {
      table_.request.format = Format::csv;
    } else if (function == "lines") {
      table_.request.format = Format::lines;
    } else if (function == "fixed") {
      table_.request.format = Format::fixed;
    } else {
      return refuse(offset_, "there is no reader " + function, kReaders);
    }
    bool has_path = false;
    std::set<std::string> seen;
    for (const Argument& argument : arguments_) {
      if (argument.name.empty() && has_path)
        return refuse(argument.offset, "an option of a reader needs its name",
                      "for example delim => '|'");
      const std::string name = argument.name.empty() ? "path" : argument.name;
      if (!seen.insert(name).second)
        return refuse(argument.offset, "option " + name + " is given twice");
      has_path = has_path || name == "path";
      GRAPNEL_CHECK(use_option(function, name, argument));
    }
    if (!has_path || table_.request.path.empty())
      return refuse(offset_, function + " needs the path of a file",
                    "for example " + function + "('file')");
    if (table_.request.format == Format::fixed && !table_.request.columns)
      return refuse(offset_, "fixed needs the columns of a record",
                    "fixed('" + table_.request.path + "', columns => 'a INTEGER, b BIGINT')");
    return ok_status();
  }

  Status use_option(const std::string& function, const std::string& name,
                    const Argument& argument) {
    source::TableRequest& request = table_.request;
    const bool is_csv = request.format == Format::csv;
    if (name == "path") {
      GRAPNEL_TRY(request.path, text_of(argument, "the path"));
    } else if (name == "columns" && request.format != Format::lines) {
      GRAPNEL_TRY(request.columns, columns_of(argument));
    } else if (is_csv && (name == "delim" || name == "sep" || name == "delimiter")) {
      GRAPNEL_TRY(request.delimiter, character_of(argument, "delim"));
      if (*request.delimiter == '\0') return refuse(argument.offset, "delim must not be empty");
    } else if (is_csv && name == "quote") {
      GRAPNEL_TRY(request.quote, character_of(argument, "quote"));
    } else if (is_csv && name == "header") {
      if (argument.value->val_case != PG_QUERY__A__CONST__VAL_BOOLVAL || argument.value->isnull)
        return refuse(argument.offset, "header is true or false");
      request.header = argument.value->boolval->boolval != 0;
    } else {
      const char* known = is_csv                            ? "delim, quote, header, columns"
                          : request.format == Format::fixed ? "columns"
                                                            : "none";
      return refuse(argument.offset, function + " has no option " + name,
                    std::string("options: ") + known);
    }
    if (request.delimiter && request.quote && *request.delimiter == *request.quote)
      return refuse(argument.offset, "delim and quote are the same character");
    return ok_status();
  }

  static Result<std::string> text_of(const Argument& argument, const char* what) {
    if (argument.value->val_case != PG_QUERY__A__CONST__VAL_SVAL || argument.value->isnull)
      return refuse(argument.offset, std::string(what) + " is a text in single quotes");
    return std::string(argument.value->sval->sval);
  }

  /// One byte; NUL for an empty text.
  static Result<char> character_of(const Argument& argument, const char* what) {
    GRAPNEL_TRY(const std::string given, text_of(argument, what));
    const std::string_view text = given == "\\t" ? "\t" : std::string_view(given);
    if (text.size() > 1 || text == "\n" || text == "\r")
      return refuse(argument.offset, std::string(what) + " is one ASCII character",
                    "for example ',' or '|' or '\\t'");
    return text.empty() ? '\0' : text[0];
  }

  Result<std::optional<std::vector<source::Column>>> columns_of(const Argument& argument) {
    GRAPNEL_TRY(const std::string text, text_of(argument, "columns"));
    const uint32_t offset = converter_.place(argument.value->location);
    // Inside the literal only if it holds the text as it is, without escapes.
    const bool plain = sql_.substr(offset).starts_with("'" + text + "'");
    const auto place = [offset, plain](uint32_t inner) {
      return plain ? offset + 1 + inner : offset;
    };
    GRAPNEL_TRY(std::vector<source::Column> columns, parse_column_list(text, place));
    return std::optional(std::move(columns));
  }

  std::string_view sql_;
  const PreparedText& prepared_;
  const ExpressionConverter& converter_;
  uint32_t offset_ = 0;
  std::vector<Argument> arguments_;
  TableReference table_;
};

}  // namespace

Result<TableReference> convert_table(const PgQuery__Node& node, std::string_view sql,
                                     const PreparedText& prepared,
                                     const ExpressionConverter& converter) {
  if (node.node_case == PG_QUERY__NODE__NODE_RANGE_FUNCTION)
    return TableConverter(sql, prepared, converter).run(*node.range_function);
  const uint32_t offset = converter.place(location_of(node));
  if (node.node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
    const PgQuery__RangeVar& table = *node.range_var;
    std::string name = prepared.original_name(table.relname);
    if (table.schemaname[0] != '\0') name = std::string(table.schemaname) + "." + name;
    return refuse(offset, "there is no table " + name + ": grapnel reads files",
                  "write FROM '" + name + (name.find('.') == std::string::npos ? ".csv'" : "'"));
  }
  return refuse(offset, "this form of FROM is not supported", kReaders);
}

}  // namespace grapnel::sql
