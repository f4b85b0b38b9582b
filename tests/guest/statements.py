"""What is asked in each guest: statements, the files that they read, and the right answers."""

import dataclasses
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import cases  # noqa: E402
import duckdb  # noqa: E402
import grapnel_cli as cli  # noqa: E402

LINEITEM = cli.DATA / "tpch-sf0.01"

# Twenty-one aggregates, four keys.
WIDE_PLAN = (
    "SELECT l_returnflag, l_linestatus, l_linenumber, l_shipmode, count(*), "
    "sum(l_quantity), sum(l_extendedprice), sum(l_discount), sum(l_tax), "
    "sum(l_quantity * l_discount), sum(l_extendedprice * l_discount), "
    "sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 + l_tax)), "
    "min(l_quantity), max(l_quantity), min(l_extendedprice), max(l_extendedprice), "
    "min(l_discount), max(l_discount), min(l_tax), max(l_tax), "
    "min(l_shipdate), max(l_shipdate), count(l_tax) "
    "FROM {} WHERE l_shipdate >= DATE '1993-01-01' "
    "GROUP BY l_returnflag, l_linestatus, l_linenumber, l_shipmode "
    "ORDER BY l_returnflag, l_linestatus, l_linenumber, l_shipmode")

ROWS = ("SELECT l_orderkey, l_comment FROM {} WHERE l_quantity = 50 "
        "AND l_shipdate < DATE '1992-03-01'")

SEED = 20261


@dataclasses.dataclass
class Statement:
    name: str
    file: str  # without a folder: statements run where their files lie
    sql: str
    rows: list  # the answer, as text

    def wrong(self, out):
        """Empty if the CSV `out` is the right answer, else the difference."""
        width = len(self.rows[0])
        # No field of these results has a comma but the comment of the row query, which comes last.
        found = [[field.strip('"') for field in line.split(",", width - 1)]
                 for line in out.splitlines()[1:]]
        if len(found) != len(self.rows):
            return f"{len(found)} rows, expected {len(self.rows)}"
        for row, right in zip(found, self.rows):
            if not all(map(_same, row, right)):
                return f"{row}, expected {right}"
        return ""


def _same(found, right):
    if found == right:
        return True
    try:
        return abs(float(found) - float(right)) <= 1e-12 * abs(float(right))
    except ValueError:
        return False


def _on_lineitem(file, queries):
    """Types are given, so that both engines read the same ones."""
    dialect = ("delim => '|', header => false" if file.endswith(".tbl") else
               "delim => ',', header => true")
    ours = f"csv('{file}', {dialect}, columns => '{cli.LINEITEM_COLUMNS}')"
    theirs = cases.duckdb_source(LINEITEM / file)
    kind = file.rsplit(".", 1)[1]
    for name, make in queries.items():
        rows = duckdb.connect().execute(make(theirs)).fetchall()
        yield Statement(f"{name} .{kind}", file, make(ours),
                        [[str(value) for value in row] for row in rows])


def _lines(folder):
    """Lines with some across pages and some longer than a page."""
    random.seed(SEED)
    count = 0
    with open(folder / "long.txt", "w", encoding="ascii") as file:
        while file.tell() < 3 << 20:
            word = random.choice(["error", "warning", "errata"])
            size = random.choice([3, 60, 200, 5000, 20000]) + random.randrange(40)
            file.write(f"{word} {'x' * size} tail\n")
            count += word == "error"
    yield Statement("prefix lines", "long.txt",
                    "SELECT count(*) FROM lines('long.txt') WHERE line LIKE 'error%'",
                    [[str(count)]])
    yield Statement("inner lines", "long.txt",
                    "SELECT count(*) FROM lines('long.txt') WHERE line LIKE '%rror%' AND line LIKE '%tail'",
                    [[str(count)]])
    yield Statement("pattern lines", "long.txt",
                    "SELECT count(*) FROM lines('long.txt') WHERE line LIKE '%or%tail'",
                    [[str(count)]])


def _fixed(folder):
    """Records of 24 bytes: a page holds no whole number of them."""
    total = count = 0
    with open(folder / "numbers.bin", "wb") as file:
        for number in range(120000):
            amount = number * 40503 % 2000003 - 1000000
            file.write(struct.pack("<qiqi", number, number * 7 % 10, amount, -1))
            if number * 7 % 10 < 6:
                total, count = total + amount, count + 1
    yield Statement("fixed", "numbers.bin",
                    "SELECT count(*), sum(amount) FROM fixed('numbers.bin', columns => "
                    "'number BIGINT, kind INTEGER, amount BIGINT, rest INTEGER') WHERE kind < 6",
                    [[str(count), str(total)]])


def write_all(folder):
    """Puts the files into `folder`; the statements on them."""
    for name in ("lineitem.tbl", "lineitem.csv"):
        (folder / name).write_bytes((LINEITEM / name).read_bytes())
    tbl = {"Q6": cli.q6, "wide": WIDE_PLAN.format, "rows": ROWS.format}
    return [*_on_lineitem("lineitem.tbl", tbl),
            *_on_lineitem("lineitem.csv", {"Q6": cli.q6, "Q1": cli.q1}), *_lines(folder),
            *_fixed(folder)]
