"""SQL by example: the files in sql_cases/ hold statements and their results.

Each statement runs in grapnel and in DuckDB on the same table; both must give what the file says. A
file consists of blocks, separated by empty lines, with lines of # comments in between:

    table COLUMN TYPE, COLUMN TYPE, ...     the table {t} of the statements behind it; then its
    1,abc                                   records as CSV without header, NULL as an empty field

    query                                   a statement, perhaps on several lines
    SELECT sum(a) FROM {t}
    ----
    sum(a)                                  the result as CSV: names of columns, then rows. NULL is
    17                                      written NULL here

    differs: WHY                            as query, but DuckDB answers something else. Who fails has
    SELECT ...                              `error` and a part of the message as its result
    ----
    grapnel's result
    ---- duckdb
    DuckDB's result

    refused                                 wrong or not supported: exit code 2 and nothing read
    SELECT ...
    ----
    a part of the message

    fails                                   fails on a record, in DuckDB too: exit code 1
    SELECT ...
    ----
    a part of grapnel's message

Rows are compared in order; for DuckDB only if the statement has ORDER BY. Instead of {t} a statement
may name 'file.csv', made by a block `file NAME` with the file's lines, where `repeat N LINE` stands
for N of them. A statement for which the two have different spellings gives both: <<grapnel's | DuckDB's>>.
"""

import csv
import decimal
import io
import re
from pathlib import Path

import duckdb
import grapnel_cli as grapnel
from harness import cases

FOLDER = Path(__file__).resolve().parent / "sql_cases"


class Block:
    def __init__(self, place, lines):
        self.place = place
        self.kind, _, self.rest = lines[0].partition(" ")
        self.lines = lines[1:]

    def statement(self):
        return " ".join(self.lines[:self.lines.index("----")])

    def parts(self):
        """What stands behind ---- and behind ---- duckdb."""
        result = self.lines[self.lines.index("----") + 1:]
        if "---- duckdb" in result:
            at = result.index("---- duckdb")
            return result[:at], result[at + 1:]
        return result, None


def read_blocks(path):
    blocks, lines = [], []
    for number, line in enumerate([*path.read_text().split("\n"), ""], 1):
        if line.startswith("#"):
            continue
        if line:
            lines.append(line)
        elif lines:
            blocks.append(Block(f"{path.name}:{number - len(lines)}", lines))
            lines = []
    return blocks


def file_lines(lines):
    for line in lines:
        if line.startswith("repeat "):
            _, count, text = line.split(" ", 2)
            yield from [text] * int(count)
        else:
            yield line


def spelled(sql, engine):
    """<<a | b>> is a for grapnel (engine 0) and b for DuckDB (engine 1)."""
    return re.sub(r"<<(.*?) \| (.*?)>>", lambda match: match[engine + 1], sql)


def value_text(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return str(value)


def csv_line(values):
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()


def grapnel_rows(out):
    """Lines as the case files have them: an empty field is NULL (a text that is empty is not used)."""
    return [csv_line(field if field else "NULL" for field in row or [""])
            for row in csv.reader(io.StringIO(out))]


class Tables:
    """The table and the files of one case file, for both engines."""

    def __init__(self, folder):
        self.folder = folder
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = 1; SET file_search_path = '{folder}'")
        self.source = None

    def make(self, block):
        columns = block.rest
        data = self.folder / "t.csv"
        data.write_text("".join(line + "\n" for line in block.lines))
        struct = ", ".join("'{}': '{}'".format(*column.strip().split(" ", 1))
                           for column in split_columns(columns))
        self.connection.execute(
            f"CREATE OR REPLACE TABLE t AS SELECT * FROM read_csv('{data}', header = false, "
            f"columns = {{{struct}}})")
        self.source = f"csv('{data}', header => false, columns => '{columns}')"

    def ask_duckdb(self, sql):
        try:
            cursor = self.connection.execute(spelled(sql.replace("{t}", "t"), 1))
            names = [column[0] for column in cursor.description]
            return [csv_line(names)] + [csv_line(map(value_text, row)) for row in cursor.fetchall()]
        except duckdb.Error as error:
            return ["error", str(error)]

    def ask_grapnel(self, sql):
        sql = spelled(sql.replace("{t}", self.source or "{t}"), 0)
        return grapnel.query(sql, format="csv", stats=False, cwd=self.folder)


def split_columns(columns):
    depth, part = 0, ""
    for c in columns + ",":
        if c == "," and depth == 0:
            yield part
            part = ""
            continue
        depth += {"(": 1, ")": -1}.get(c, 0)
        part += c


def same_rows(got, expected, in_order):
    if in_order:
        return got == expected
    return got[:1] == expected[:1] and sorted(got[1:]) == sorted(expected[1:])


def check_query(tables, block):
    sql = block.statement()
    expected, of_duckdb = block.parts()
    answer = tables.ask_grapnel(sql)
    if expected[0] == "error":
        assert answer.code == 1 and expected[1] in answer.err, f"{block.place}: {sql}\n{answer}"
    else:
        assert answer.code == 0, f"{block.place}: exit code {answer.code}\n{answer.err}"
        got = grapnel_rows(answer.out)
        assert got == expected, f"{block.place}: {sql}\ngrapnel: {got}\nwanted:  {expected}"
    check_duckdb(tables, block, sql, expected if of_duckdb is None else of_duckdb)
    if of_duckdb is not None:
        assert of_duckdb != expected, f"{block.place}: no difference"


def check_duckdb(tables, block, sql, wanted):
    reference = tables.ask_duckdb(sql)
    if wanted[0] == "error":
        fine = reference[0] == "error" and wanted[1] in reference[1]
    else:
        fine = same_rows(reference, wanted, "ORDER BY" in sql.upper())
    assert fine, f"{block.place}: {sql}\nDuckDB: {reference}\nwanted: {wanted}"


def check_failure(tables, block, code):
    sql = block.statement()
    part = block.parts()[0][0]
    answer = tables.ask_grapnel(sql)
    assert answer.code == code and answer.out == "", \
        f"{block.place}: {sql}\nexit code {answer.code}, wanted {code}\n{answer.out}{answer.err}"
    assert part in answer.err, f"{block.place}: {sql}\n{answer.err}\nwanted: {part}"
    if code == 1:
        assert tables.ask_duckdb(sql)[0] == "error", f"{block.place}: DuckDB answers {sql}"


def run_block(tables, block):
    if block.kind == "table":
        tables.make(block)
    elif block.kind == "file":
        (tables.folder / block.rest).write_text("".join(line + "\n" for line in file_lines(block.lines)))
    elif block.kind in ("query", "differs:"):
        check_query(tables, block)
    elif block.kind in ("refused", "fails"):
        check_failure(tables, block, grapnel.EXIT["refused" if block.kind == "refused" else "error"])
    else:
        raise AssertionError(f"{block.place}: what is a block '{block.kind}'?")


@cases(name=sorted(path.stem for path in FOLDER.glob("*.test")))
def sql_text(tmp, name):
    tables, failures = Tables(tmp), []
    for block in read_blocks(FOLDER / f"{name}.test"):
        try:
            run_block(tables, block)
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join([f"{len(failures)} statements:", *failures])
