"""One engine that people use, on one operation. Prints {"seconds": x, "answer": "..."} as JSON.

  peers.py ENGINE KIND PATH [--url URL] [--threads N] [--most KEY]

With --url the file is fetched by curl and read while it arrives. Importing the engine is not timed,
nor is its start; the query is, with all types given, and in the engine's usual best settings. DuckDB writes
the rows of a filter as CSV to /dev/null, as grapnel does; the others count them only."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "tools")]

BLOCK_BYTES = 4 << 20


def sql_of(kind, source, most, count_rows=True):
    import grapnel_cli as cli
    if kind == "q6":
        return cli.q6(source)
    if kind == "q1":
        return cli.q1(source)
    if kind == "filter":
        return f"SELECT {'count(*)' if count_rows else '*'} FROM {source} WHERE l_partkey <= {most}"
    raise SystemExit(f"no SQL for {kind}")


class DuckDb:
    kinds = {"q6", "q1", "filter"}

    def __init__(self, threads):
        import duckdb
        import cases
        self.source_of = cases.duckdb_source
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {threads}")

    def run(self, kind, path, most):
        source = self.source_of("any.csv").replace("any.csv", str(path))
        if kind != "filter":
            return self.connection.execute(sql_of(kind, source, most)).fetchall()
        return self.connection.execute(
            f"COPY ({sql_of(kind, source, most, False)}) TO '/dev/null' "
            "(FORMAT csv, USE_TMP_FILE false)").fetchall()


class ChDb:
    kinds = {"q6", "q1", "filter", "lines"}

    def __init__(self, threads):
        import chdb
        self.chdb, self.threads = chdb, threads

    def run(self, kind, path, most):
        import operations
        import grapnel_cli as cli
        settings = f" SETTINGS max_threads = {self.threads}, input_format_parallel_parsing = 1"
        if kind == "lines":
            text = (f"SELECT count() FROM file('{path}', LineAsString, 'line String') "
                    f"WHERE line LIKE '%{operations.WORD}%'")
        else:
            types = (cli.LINEITEM_COLUMNS.replace("BIGINT", "Int64").replace("INTEGER", "Int32")
                     .replace("VARCHAR", "String").replace("DATE", "Date"))
            source = f"file('{path}', CSVWithNames, '{types}')"
            text = sql_of(kind, source, most).replace("DATE '", "toDate('").replace(
                "-01' AND l_sh", "-01') AND l_sh").replace("-01' AND l_d", "-01') AND l_d").replace(
                "-02' GROUP", "-02') GROUP")
        out = self.chdb.query(text + settings, "CSV").bytes().decode()
        return [line.replace('"', "").split(",") for line in out.splitlines()]


class Polars:
    kinds = {"q6", "q1", "filter"}

    def __init__(self, threads):
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars
        self.polars = polars

    def run(self, kind, path, most):
        import datetime
        from decimal import Decimal
        pl = self.polars
        table = pl.scan_csv(path, try_parse_dates=False, infer_schema=False)
        number = lambda name: pl.col(name).cast(pl.Decimal(15, 2))  # noqa: E731
        day = pl.col("l_shipdate").str.to_date("%Y-%m-%d")
        if kind == "filter":
            kept = table.filter(pl.col("l_partkey").cast(pl.Int64) <= most)
            return [[kept.select(pl.len()).collect(engine="streaming").item()]]
        if kind == "q6":
            kept = table.filter(
                day.is_between(datetime.date(1994, 1, 1), datetime.date(1994, 12, 31)),
                number("l_discount").is_between(Decimal("0.05"), Decimal("0.07")),
                number("l_quantity") < 24)
            # A product of decimals keeps two digits there; so it is left to floating point.
            total = (number("l_extendedprice").cast(pl.Float64) *
                     number("l_discount").cast(pl.Float64))
            return kept.select(total.sum()).collect(engine="streaming").rows()
        price, less = number("l_extendedprice").cast(pl.Float64), 1 - number("l_discount").cast(pl.Float64)
        taxed = 1 + number("l_tax").cast(pl.Float64)
        kept = table.filter(day <= datetime.date(1998, 9, 2))
        return kept.group_by("l_returnflag", "l_linestatus").agg(
            number("l_quantity").sum().alias("a"), number("l_extendedprice").sum().alias("b"),
            (price * less).sum().alias("c"), (price * less * taxed).sum().alias("d"),
            number("l_quantity").cast(pl.Float64).mean().alias("e"), price.mean().alias("f"),
            number("l_discount").cast(pl.Float64).mean().alias("g"), pl.len().alias("h")
        ).sort("l_returnflag", "l_linestatus").collect(engine="streaming").rows()


class DataFusion:
    kinds = {"q6", "q1", "filter"}

    def __init__(self, threads):
        import datafusion
        self.datafusion = datafusion
        self.context = datafusion.SessionContext(
            datafusion.SessionConfig().with_target_partitions(threads))

    def run(self, kind, path, most):
        import grapnel_cli as cli
        self.context.sql(f"CREATE EXTERNAL TABLE lineitem ({cli.LINEITEM_COLUMNS}) STORED AS CSV "
                         f"LOCATION '{path}' OPTIONS ('format.has_header' 'true')")
        batches = self.context.sql(sql_of(kind, "lineitem", most)).collect()
        return [list(row.values()) for batch in batches for row in batch.to_pylist()]


class NumPy:
    kinds = {"fixed"}

    def __init__(self, threads):
        import numpy
        self.numpy = numpy

    def run(self, kind, path, most):
        total = 0
        with open(path, "rb", buffering=0) as file:
            rest = b""
            while True:
                block = file.read(BLOCK_BYTES)
                if not block:
                    break
                block = rest + block if rest else block
                whole = len(block) // 32 * 32
                total += int(self.numpy.frombuffer(block, "<i8", whole // 8)[2::4].sum())
                rest = block[whole:]
        return [[total]]


class Tool:
    """A program of the command line; timed as a whole process."""

    def __init__(self, kinds, commands):
        self.kinds, self.commands = kinds, commands

    def run(self, kind, path, most):
        command = [word.replace("{path}", str(path)) for word in self.commands[kind]]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [[done.stdout.strip()]]


def mawk(program):
    return ["mawk", "-F", ",", program, "{path}"]


# mawk cannot split quoted fields; no field that these use, nor one before it, holds a comma.
MAWK = Tool({"lines", "q6"}, {
    "lines": mawk("/furiously/{n++} END{print n}"),
    "q6": mawk('NR > 1 && $11 >= "1994-01-01" && $11 < "1995-01-01" && $7 + 0 >= 0.05 && '
               '$7 + 0 <= 0.07 && $5 + 0 < 24 {s += $6 * $7} END{printf "%.4f\\n", s}'),
})
RIPGREP = Tool({"lines"}, {"lines": [os.environ.get("RIPGREP", "rg"), "-c", "-F", "furiously",
                                     "--mmap", "{path}"]})
RIPGREP_PIPE = Tool({"lines"}, {"lines": [os.environ.get("RIPGREP", "rg"), "-c", "-F", "furiously",
                                          "{path}"]})

ENGINES = {"duckdb": DuckDb, "chdb": ChDb, "polars": Polars, "datafusion": DataFusion,
           "numpy": NumPy, "mawk": lambda _: MAWK, "ripgrep": lambda _: RIPGREP,
           "ripgrep-pipe": lambda _: RIPGREP_PIPE}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("kind")
    parser.add_argument("path")
    parser.add_argument("--url")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--most", type=int, default=0)
    arguments = parser.parse_args()
    engine = ENGINES[arguments.engine](arguments.threads)
    path = arguments.path
    start = time.perf_counter()
    if arguments.url:
        fetch = subprocess.Popen(["curl", "-sSf", "--no-buffer", arguments.url],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        os.dup2(fetch.stdout.fileno(), 0)
        fetch.stdout.close()
        path = "/dev/stdin"
    rows = engine.run(arguments.kind, path, arguments.most)
    if arguments.url and fetch.wait() != 0:
        raise SystemExit("curl failed")
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "answer": [[str(v) for v in row] for row in rows]}))


if __name__ == "__main__":
    main()
