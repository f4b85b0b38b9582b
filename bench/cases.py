"""What is measured: each case is a file, a query, the answer that every engine must give, the engines,
and the gates that the ratio of medians is held against."""

import dataclasses
import struct

import grapnel_cli as cli

Q6_SF1 = "123141078.2283"


@dataclasses.dataclass
class Gate:
    """median rate of `engine` / median rate of `against` >= `least`."""
    engine: str
    against: str
    least: float


@dataclasses.dataclass
class Case:
    name: str
    path: str
    sql: str                # for grapnel
    engines: list           # grapnel hooks by name, and other engines, see engines.py
    gates: list
    duckdb: str = ""        # the same for DuckDB
    cold: bool = False      # own file's pages are dropped before each run
    answer: str = ""        # first row, where it is known beforehand
    threads: int = 1


def duckdb_source(path):
    """lineitem with explicit types: DuckDB sniffs nothing, which is its fastest setting."""
    columns = [c.strip().split(" ", 1) for c in _split(cli.LINEITEM_COLUMNS)]
    header = str(path).endswith(".csv")
    if not header:
        columns.append(["trailing_delimiter", "VARCHAR"])  # each row of a .tbl ends with one
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns)
    delimiter, quote = (",", '"') if header else ("|", "")
    return (f"read_csv('{path}', columns = {{{types}}}, delim = '{delimiter}', quote = '{quote}', "
            f"header = {str(header).lower()}, auto_detect = false)")


def _split(columns):
    """Splits a column list at the commas outside parentheses."""
    depth, start, parts = 0, 0, []
    for i, c in enumerate(columns + ","):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(columns[start:i])
            start = i + 1
    return parts


def tpch_cases(scale, threads):
    folder = cli.DATA / f"tpch-sf{scale}"
    tbl, csv = folder / "lineitem.tbl", folder / "lineitem.csv"
    user = ["read", "mmap"]
    q6_answer = Q6_SF1 if str(scale) == "1" else ""
    return [
        Case(f"Q6 .tbl, {threads} thread(s)", tbl, cli.q6(cli.lineitem(tbl)),
             user + ["pipe", "duckdb"],
             [Gate("best of " + ",".join(user), "duckdb", 7.0), Gate("pipe", "duckdb", 4.5)],
             cli.q6(duckdb_source(tbl)), answer=q6_answer, threads=threads),
        Case(f"Q1 .tbl, {threads} thread(s)", tbl, cli.q1(cli.lineitem(tbl)),
             user + ["pipe", "duckdb"],
             [Gate("best of " + ",".join(user), "duckdb", 4.0), Gate("pipe", "duckdb", 4.0)],
             cli.q1(duckdb_source(tbl)), threads=threads),
        Case(f"Q6 quoted .csv, {threads} thread(s)", csv, cli.q6(cli.lineitem(csv)),
             user + ["pipe", "duckdb"], [Gate("best of " + ",".join(user), "duckdb", 5.0)],
             cli.q6(duckdb_source(csv)), answer=q6_answer, threads=threads),
    ]


def cold_case(scale):
    tbl = cli.DATA / f"tpch-sf{scale}" / "lineitem.tbl"
    return Case("Q6 .tbl, cold, against a bare io_uring reader", tbl, cli.q6(cli.lineitem(tbl)),
                ["direct", "bare_io_uring"], [Gate("direct", "bare_io_uring", 0.95)], cold=True,
                threads=2)


FIXED_COLUMNS = "a BIGINT, b BIGINT, c BIGINT, d BIGINT"
FIXED_RECORDS = 16 << 20


def make_fixed(path):
    """512 MiB of records of four 64-bit integers from a fixed linear congruence."""
    if path.exists() and path.stat().st_size == FIXED_RECORDS * 32:
        return
    state, total = 1, 0
    with open(path, "wb") as out:
        for _ in range(FIXED_RECORDS >> 12):
            values = []
            for _ in range(4 << 12):
                state = (state * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
                values.append(state >> 44)
            out.write(struct.pack(f"<{len(values)}q", *values))
            total += len(values)


def fixed_case():
    path = cli.DATA / "bench-fixed.bin"
    make_fixed(path)
    sql = (f"SELECT sum(c), count(*) FROM fixed('{path}', columns => '{FIXED_COLUMNS}') "
           "WHERE a >= 100000 AND a < 500000")
    return Case("fixed records, filter and sum", path, sql, ["read", "pipe", "copy_sum"],
                [Gate("pipe", "copy_sum", 0.35)], threads=1)
