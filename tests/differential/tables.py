"""Random tables: a schema, values, and a file that holds them in one of grapnel's formats.

Values are made as the text that stands in the file, so that reading it is part of what is compared.
"""

import dataclasses
import datetime
import struct

SIGNED = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
UNSIGNED = {"UTINYINT": 8, "USMALLINT": 16, "UINTEGER": 32, "UBIGINT": 64}
INTEGERS = {**SIGNED, **UNSIGNED}
WORDS = ["a", "b", "ab", "MAIL", "RAIL", "special requests", "über", "日本語", "😀 smile", "O'Neil",
         "x%y", "under_score", "back\\slash", " padded ", "NULL", "0", "-1", "true", "#", "ẞ"]
NEED_QUOTES = ['say "hi"', '"', "one\ntwo", "a,b", "p|q", "semi;colon", "tab\tstop", "crlf\r\nend",
               '""', "\n"]


@dataclasses.dataclass
class Column:
    name: str
    type: str          # as SQL spells it
    small: bool        # few distinct values: good for grouping

    @property
    def kind(self):
        """int, dec, dbl, text, date or bool: what the query generator goes by."""
        if self.type in INTEGERS:
            return "int"
        return {"DOUBLE": "dbl", "VARCHAR": "text", "DATE": "date", "BOOLEAN": "bool"}.get(
            self.type, "dec")

    @property
    def decimal(self):
        """(precision, scale)"""
        precision, scale = self.type[len("DECIMAL("):-1].split(",")
        return int(precision), int(scale)


@dataclasses.dataclass
class Table:
    """A file, and how each engine reads it."""
    path: str
    columns: list
    rows: list              # lists of texts; None is NULL
    source: str             # FROM clause for grapnel
    oracle: str             # SELECT that gives DuckDB the same rows
    samples: dict           # column name -> values as SQL literals

    def of_kind(self, kind):
        return [column for column in self.columns if column.kind == kind]


def random_column(rng, number, formats):
    names = ["a", "b", "price", "qty", "flag", "day", "note", "Total", "x_1", "größe"]
    kind = rng.choices(["int", "dec", "dbl", "text", "date", "bool"], [6, 5, 2, 5, 3, 1])[0]
    if kind == "text" and formats == "fixed":
        kind = "int"
    if kind == "int":
        type_name = rng.choices(list(INTEGERS), [2, 2, 5, 5, 1, 1, 1, 1, 1])[0]
    elif kind == "dec":
        precision = rng.choice([2, 4, 9, 15, 15, 18, 19, 30, 38])
        type_name = f"DECIMAL({precision},{rng.randint(0, min(precision, 6))})"
    else:
        type_name = {"dbl": "DOUBLE", "text": "VARCHAR", "date": "DATE", "bool": "BOOLEAN"}[kind]
    return Column(f"{names[number % len(names)]}{number if number >= len(names) else ''}",
                  type_name, rng.random() < 0.5)


# --- values ---------------------------------------------------------------------------------------

def integer_range(type_name):
    bits = INTEGERS[type_name]
    if type_name in UNSIGNED:
        return 0, 2**bits - 1
    return -(2**(bits - 1)), 2**(bits - 1) - 1


def random_integer(rng, column, extremes):
    low, high = integer_range(column.type)
    if column.small:
        return rng.randint(max(low, -3), 5)
    if extremes and rng.random() < 0.05:
        return rng.choice([low, high, low + 1, high - 1])
    width = min(rng.choice([10, 1000, 10**6, 10**12]), high)
    return rng.randint(max(low, -width), width)


def random_unscaled(rng, column, extremes):
    precision, _ = column.decimal
    most = 10**precision - 1
    if column.small:
        return rng.randint(-min(20, most), min(20, most))
    if extremes and rng.random() < 0.05:
        return rng.choice([-most, most])
    return rng.randint(-min(most, 10**9), min(most, 10**9))


def random_double(rng, column, extremes):
    if column.small:
        return rng.choice([0.0, 0.5, -1.5, 2.0, 1e10])
    if extremes and rng.random() < 0.05:
        return rng.choice([float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1e300, -1e300])
    return rng.choice([rng.uniform(-1000, 1000), rng.gauss(0, 1e6), float(rng.randint(-9, 9)),
                       rng.random() * 10.0 ** rng.randint(-20, 20)])


def random_date(rng, column, extremes):
    if extremes and not column.small and rng.random() < 0.03:
        return rng.choice([datetime.date.min, datetime.date.max, datetime.date(2000, 2, 29)])
    days = rng.randint(0, 5) if column.small else rng.randint(-3000, 15000)
    return datetime.date(1992, 1, 1) + datetime.timedelta(days=days)


def random_text(rng, column, quoted):
    if column.small:
        return rng.choice(WORDS[:6])
    if quoted and rng.random() < 0.15:
        return rng.choice(NEED_QUOTES)
    if rng.random() < 0.01:
        return rng.choice(WORDS) * rng.randint(50, 800)
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4)))


def decimal_text(unscaled, scale):
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    sign = "-" if unscaled < 0 else ""
    return sign + digits if scale == 0 else f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def integer_spelling(rng, value, plain):
    text = str(value)
    if plain or rng.random() < 0.9:
        return text
    return rng.choice([f" {text}", f"{text} ", text if value < 0 else f"+{text}",
                       f"-0{-value}" if value < 0 else f"00{value}", f"{text}.0", f"{text}."])


def decimal_spelling(rng, unscaled, scale, plain):
    text = decimal_text(unscaled, scale)
    if plain or rng.random() < 0.9:
        return text
    choices = [f" {text}", text if unscaled < 0 else f"+{text}"]
    if scale > 0:
        choices += [text + "0", text + "4"]       # digits that round away
        choices += [text.replace("0.", ".", 1)] if text.startswith("0.") else []
    return rng.choice(choices)


def value_text(rng, column, options):
    """The text of a random value, or None; and the value as a SQL literal."""
    if rng.random() < options["null_share"]:
        return None, "NULL"
    plain = options["plain"]
    kind, extremes = column.kind, options["extremes"]
    if kind == "int":
        value = random_integer(rng, column, extremes)
        return integer_spelling(rng, value, plain), str(value)
    if kind == "dec":
        scale = column.decimal[1]
        value = random_unscaled(rng, column, extremes)
        return decimal_spelling(rng, value, scale, plain), decimal_text(value, scale)
    if kind == "dbl":
        value = random_double(rng, column, extremes)
        return repr(value), f"CAST('{value!r}' AS DOUBLE)"
    if kind == "date":
        value = random_date(rng, column, extremes).isoformat()
        return value, f"DATE '{value}'"
    if kind == "bool":
        value = rng.random() < 0.5
        spellings = ["true", "True", "t", "1", "yes"] if value else ["false", "FALSE", "f", "0", "n"]
        return spellings[0] if plain else rng.choice(spellings), "TRUE" if value else "FALSE"
    value = random_text(rng, column, options["quoted"])
    return value, "'" + value.replace("'", "''") + "'"


def random_rows(rng, columns, options):
    rows = []
    samples = {column.name: [] for column in columns}
    for _ in range(options["row_count"]):
        row = []
        for column in columns:
            text, literal = value_text(rng, column, options)
            row.append(text)
            # Literals that both SQL parsers read alike: no control characters, not too long.
            if len(literal) < 60 and literal.isprintable() and "\\" not in literal:
                samples[column.name].append(literal)
        rows.append(row)
    return rows, samples


# --- files ----------------------------------------------------------------------------------------

def sql_text(text):
    return "'" + text.replace("'", "''") + "'"


def column_list(columns):
    return ", ".join(f'"{column.name}" {column.type}' for column in columns)


def duckdb_columns(columns):
    return "{" + ", ".join(f"'{column.name}': '{column.type}'" for column in columns) + "}"


def csv_field(rng, text, delimiter, quote, policy):
    if text is None:
        return ""
    must = any(c in text for c in delimiter + quote + "\r\n")
    if quote and (must or policy == "all" or (policy == "some" and rng.random() < 0.3)):
        return quote + text.replace(quote, quote + quote) + quote
    return text


def write_csv(rng, path, columns, rows, options):
    delimiter, quote = options["delimiter"], options["quote"]
    policy = rng.choice(["must", "must", "some", "all"])
    newline = options["newline"] = rng.choice(["\n", "\n", "\r\n"])
    end = delimiter if options["trailing"] else ""
    lines = []
    if options["header"]:
        lines.append(delimiter.join(column.name for column in columns) + end)
    for row in rows:
        lines.append(delimiter.join(csv_field(rng, text, delimiter, quote, policy)
                                    for text in row) + end)
        if len(columns) > 1 and rng.random() < options["blank_share"]:
            lines.append("")
    text = newline.join(lines)
    if lines and (rng.random() < 0.8 or lines[-1] == ""):
        text += newline
    if rng.random() < 0.1:
        text = "\ufeff" + text
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def csv_table(rng, path, columns, options):
    options["quote"] = '"' if rng.random() < 0.8 else ""
    options["quoted"] = bool(options["quote"])
    options["delimiter"] = rng.choice([",", "|", "|", ";", "\t"])
    options["header"] = rng.random() < 0.5
    options["blank_share"] = rng.choice([0, 0, 0, 0.1])
    options["trailing"] = len(columns) > 1 and options["row_count"] > 0 and rng.random() < 0.2
    rows, samples = random_rows(rng, columns, options)
    if not options["quote"]:
        rows = [[text if text is None else text.replace(options["delimiter"], "_")
                 for text in row] for row in rows]
    write_csv(rng, path, columns, rows, options)
    shown = "\\t" if options["delimiter"] == "\t" else options["delimiter"]
    source = (f"csv({sql_text(path)}, delim => '{shown}', quote => '{options['quote']}', "
              f"header => {str(options['header']).lower()}, "
              f"columns => {sql_text(column_list(columns))})")
    read = columns + [Column("trailing_", "VARCHAR", True)] if options["trailing"] else columns
    names = ", ".join(f'"{column.name}"' for column in columns)
    newline = options["newline"].replace("\r", "\\r").replace("\n", "\\n")
    oracle = (f"SELECT {names} FROM read_csv({sql_text(path)}, delim = '{shown}', "
              f"quote = '{options['quote']}', escape = '{options['quote']}', "
              f"header = {options['header']}, new_line = '{newline}', auto_detect = false, "
              f"columns = {duckdb_columns(read)}, max_line_size = 10000000)")
    return Table(path, columns, rows, source, oracle, samples)


def lines_table(rng, path, options):
    columns = [Column("line", "VARCHAR", False), Column("line_offset", "BIGINT", False)]
    options["quoted"] = False
    rows, samples = random_rows(rng, columns[:1], options)
    lines = [row[0] or "" for row in rows]
    newline = rng.choice(["\n", "\r\n"])
    text = newline.join(lines)
    if lines and (rng.random() < 0.8 or lines[-1] == ""):
        text += newline
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    rows, offset = [], 0
    for line in lines:
        rows.append([line, str(offset)])
        offset += len((line + newline).encode())
    samples = {"line": samples["line"], "line_offset": [row[1] for row in rows]}
    return Table(path, columns, rows, f"lines({sql_text(path)})", "", samples)


def fixed_bytes(column, text):
    if column.kind == "int":
        return int(text).to_bytes(INTEGERS[column.type] // 8, "little",
                                  signed=column.type in SIGNED)
    if column.kind == "dec":
        unscaled = int(text.replace(".", ""))
        width = next(size for size, most in ((2, 4), (4, 9), (8, 18), (16, 38))
                     if column.decimal[0] <= most)
        return unscaled.to_bytes(width, "little", signed=True)
    if column.kind == "dbl":
        return struct.pack("<d", float(text))
    if column.kind == "bool":
        return b"\1" if text == "true" else b"\0"
    days = (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days
    return days.to_bytes(4, "little", signed=True)


def fixed_table(rng, path, columns, options):
    options.update(null_share=0.0, plain=True, quoted=False)
    rows, samples = random_rows(rng, columns, options)
    with open(path, "wb") as file:
        for row in rows:
            for column, text in zip(columns, row):
                file.write(fixed_bytes(column, text))
    source = f"fixed({sql_text(path)}, columns => {sql_text(column_list(columns))})"
    return Table(path, columns, rows, source, "", samples)


def random_table(rng, directory, number, large):
    """Writes one file and describes it. `large`: some megabytes, so that it is cut into extents."""
    kind = rng.choices(["csv", "lines", "fixed"], [7, 1, 2])[0]
    columns = [random_column(rng, i, kind) for i in range(rng.randint(1, 9))]
    options = {"null_share": rng.choice([0.0, 0.1, 0.4]), "plain": rng.random() < 0.5,
               "extremes": rng.random() < 0.4, "row_count": rng.choice([0, 1, 2, 30, 300, 300])}
    if large:
        options["row_count"] = 60_000
    path = str(directory / f"table{number}.{kind if kind != 'csv' else 'txt'}")
    if kind == "lines":
        return lines_table(rng, path, options)
    if kind == "fixed":
        return fixed_table(rng, path, columns, options)
    return csv_table(rng, path, columns, options)
