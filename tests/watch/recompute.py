#!/usr/bin/env python3
"""Recomputes what a watch has answered, from the file and the intervals that it gave: by DuckDB, and by
the words of the covering rule. Shares no code with the program.

    recompute.py INTERVALS-LINE.json FORMAT "SELECT ... FROM {table}"

FORMAT is one of FORMATS below. Prints the rows as the watch should have. Used by run.py.
"""

import bisect
import dataclasses
import json
import struct
import sys
import tempfile
from pathlib import Path

import duckdb


@dataclasses.dataclass(frozen=True)
class Format:
    delimiter: str = ","
    quote: str = ""  # none
    header: bool = False
    columns: tuple = ()  # ("name", "TYPE") ...; empty: lines
    record: str = ""  # fixed: struct's format


_COLUMNS = (("number", "BIGINT"), ("kind", "INTEGER"), ("amount", "DECIMAL(15,2)"),
            ("remark", "VARCHAR"))
FORMATS = {
    "csv": Format(header=True, quote='"', columns=_COLUMNS),
    "quoted csv": Format(header=True, quote='"', columns=_COLUMNS),
    "unquoted csv": Format(header=True, columns=_COLUMNS),
    "tbl": Format(delimiter="|", quote='"', columns=_COLUMNS),
    "unquoted tbl": Format(delimiter="|", columns=_COLUMNS),
    "lines": Format(),
    "fixed": Format(record="<qiqi", columns=(("number", "BIGINT"), ("kind", "INTEGER"),
                                             ("amount", "BIGINT"), ("rest", "INTEGER"))),
}


def record_bounds(data, format):
    """Where records begin, and the end of the last."""
    if format.record:
        size = struct.calcsize(format.record)
        return list(range(0, len(data) + 1, size))
    bounds, inside = [0], False
    quote = format.quote.encode()
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end + 1
        if quote and data.count(quote, at, end) % 2:
            inside = not inside
        if not inside:
            bounds.append(end)
        at = end
    if bounds[-1] != len(data):
        bounds.append(len(data))
    if format.header:
        bounds = bounds[1:]
    return bounds


def _is_covered(covered, begin, end):
    at = bisect.bisect_right(covered, [begin, float("inf")]) - 1
    return at >= 0 and covered[at][0] <= begin and end <= covered[at][1]


def expected_counted(bounds, covered, format):
    """The covering rule, record by record; neighbours put together."""
    counted = []
    covered = sorted(map(list, covered))
    for i, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        before = begin if i == 0 or format.record else begin - 1
        if not _is_covered(covered, before, end):
            continue
        if counted and counted[-1][1] == begin:
            counted[-1][1] = end
        else:
            counted.append([begin, end])
    return counted


def merged(ranges):
    result = []
    for begin, end in sorted(ranges):
        if result and result[-1][1] == begin:
            result[-1][1] = end
        else:
            result.append([begin, end])
    return result


def answer(data, counted, format, sql):
    """The statement by DuckDB on a file of nothing but the counted records."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as part:
        if format.record:
            for begin, end in counted:
                for values in struct.iter_unpack(format.record, data[begin:end]):
                    part.write((",".join(map(str, values)) + "\n").encode())
        else:
            for begin, end in counted:
                part.write(data[begin:end])
        part.flush()
        if not format.columns:
            # A delimiter that no line has: each is one field.
            table = (f"read_csv('{part.name}', header=false, delim='\x01', quote='', escape='', "
                     "columns={'line': 'VARCHAR'})")
        else:
            delimiter = "," if format.record else format.delimiter
            columns = "{" + ", ".join(f"'{name}': '{type}'" for name, type in format.columns) + "}"
            quote = "''" if not format.quote else f"'{format.quote}'"
            table = (f"read_csv('{part.name}', header=false, delim='{delimiter}', quote={quote}, "
                     f"escape={quote}, columns={columns}, auto_detect=false, null_padding=true, "
                     "parallel=false)")
        if part.tell() == 0:
            columns = format.columns or (("line", "VARCHAR"),)
            nothing = ", ".join(f"NULL::{type} AS {name}" for name, type in columns)
            table = f"(SELECT {nothing} LIMIT 0)"
        rows = duckdb.sql(sql.format(table=table)).fetchall()
    return [[None if value is None else str(value) for value in row] for row in rows]


def recompute(path, state, format, sql, bounds=None):
    """Rows for the intervals in `state`, a final line of the watch. AssertionError where the intervals
    themselves break the rule."""
    data = Path(path).read_bytes()
    bounds = record_bounds(data, format) if bounds is None else bounds
    expected = expected_counted(bounds, state["covered"], format)
    assert merged(state["counted"]) == expected, (
        f"counted {merged(state['counted'])[:5]}..., the rule gives {expected[:5]}...")
    return answer(data, expected, format, sql)


if __name__ == "__main__":
    line = json.loads(Path(sys.argv[1]).read_text().splitlines()[0])
    for row in recompute(line["path"], line, FORMATS[sys.argv[2]], sys.argv[3]):
        print(row)
