#!/usr/bin/env python3
"""Random tables and queries, answered by grapnel through every hook and by DuckDB: same answers.

    tests/differential/run.py [--seed N] [--tables N] [--queries N] [--hooks a,b] [--only TABLE.QUERY]

The seed is printed; --seed N runs the same tables and queries again, --only picks one of them. What
failed stays in build/differential/ with the command that shows it. Queries for which DuckDB itself
reports an error must fail in grapnel too; queries that grapnel refuses are skipped, and too many of
them are a failure.
"""

import argparse
import collections
import concurrent.futures
import datetime
import decimal
import json
import math
import os
import random
import re
import shutil
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import duckdb  # noqa: E402
import grapnel_cli  # noqa: E402
from queries import Generator  # noqa: E402
from tables import random_table, sql_text  # noqa: E402

LEAST_EXECUTED = 0.8
LARGE_TABLES = 3
LOWERINGS = [None, "avx512", "avx2", "plain"]  # None: small files go to the interpreter
KEPT = grapnel_cli.BUILD / "differential"
SERVER = grapnel_cli.Server(KEPT)  # for ship; it runs while the suite does


class DuckDbError(Exception):
    pass


# --- the oracle -----------------------------------------------------------------------------------

class Oracle:
    """One table in DuckDB."""

    def __init__(self, table):
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        if table.oracle:
            self.connection.execute(f"CREATE TABLE t AS {table.oracle}")
            return
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        self.connection.execute(f"CREATE TABLE t ({columns})")
        for start in range(0, len(table.rows), 5000):
            values = ", ".join("(" + ", ".join(self.literal(text) for text in row) + ")"
                               for row in table.rows[start:start + 5000])
            self.connection.execute(f"INSERT INTO t VALUES {values}")

    @staticmethod
    def literal(text):
        return "NULL" if text is None else sql_text(text)

    def rows(self, query):
        try:
            found = self.connection.execute(query.oracle.replace("{source}", "t")).fetchall()
        except duckdb.Error as error:
            raise DuckDbError(str(error).split("\n")[0]) from error
        return [tuple(exact(value, how) for value, how in zip(row, query.exact_sums))
                for row in found]

    def fails_without_having(self, query):
        """Whether a value is out of range in a group that HAVING rejects."""
        sql = re.sub(r" HAVING .*?(?= ORDER BY |$)", "", query.oracle)
        if sql == query.oracle:
            return False
        try:
            self.connection.execute(sql.replace("{source}", "t")).fetchall()
        except duckdb.Error as error:
            return "Out of Range" in str(error)
        return False


class Near(float):
    """An average: DuckDB's plan decides how often it is rounded."""


def exact(value, how):
    """A list of doubles as their sum or average, rounded once; other values as they are."""
    if how is None or value is None:
        return value
    if how == "near":
        return Near(value)
    if any(math.isnan(x) for x in value) or {math.inf, -math.inf} <= set(value):
        total = math.nan
    elif any(math.isinf(x) for x in value):
        total = next(x for x in value if math.isinf(x))
    else:
        try:
            total = math.fsum(value)
        except OverflowError:  # in between, or in the end: fractions know
            total = to_double(sum(decimal_of(x) for x in value))
    return total / len(value) if how == "avg" else total


def decimal_of(x):
    from fractions import Fraction
    return Fraction(x)


def to_double(fraction):
    try:
        return fraction.numerator / fraction.denominator
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


# --- comparison -----------------------------------------------------------------------------------

def shown(value):
    """A value of DuckDB's as grapnel writes it, but for DOUBLE."""
    if isinstance(value, bool):
        return value
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (int, datetime.date)):
        return str(value)
    return value


def same(ours, theirs):
    if isinstance(theirs, float):
        if ours is None:
            return False
        number = float(ours)
        if number == theirs or (math.isnan(number) and math.isnan(theirs)):
            return True
        # DuckDB's HUGEINT -> DOUBLE rounds twice beyond 64 bits.
        may_round = isinstance(theirs, Near) or abs(theirs) > 2.0**60
        return may_round and abs(number - theirs) <= 2 * math.ulp(theirs)
    return ours == shown(theirs)


def difference(ours, theirs):
    """What differs, or None. Both are lists of rows."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, DuckDB has {len(theirs)}"
    for number, (a, b) in enumerate(zip(ours, theirs)):
        values = list(a.values())
        if len(values) != len(b):
            return f"{len(values)} columns, DuckDB has {len(b)}"
        for i, (x, y) in enumerate(zip(values, b)):
            if not same(x, y):
                return (f"row {number}, column {i + 1}: {x!r}, DuckDB has {shown(y)!r}\n"
                        f"  ours   {values}\n  theirs {[shown(v) for v in b]}")
    return None


# --- one query ------------------------------------------------------------------------------------

class Outcome:
    passed, failed, skipped = "passed", "failed", "skipped"


def ask(sql, hook, threads, lowering=None):
    """(kind, content, program): 'rows' with them and what computed them, or 'error', 'refused',
    'hook cannot' with the message. `lowering`: a level of vector instructions to force."""
    if hook == "ship":
        sql = served(sql)
    answer = grapnel_cli.query(sql, hook=hook, on=SERVER.address if hook == "ship" else None,
                               threads=threads, format="json", timeout=60,
                               env={"GRAPNEL_NATIVE": lowering} if lowering else None)
    kinds = {value: name for name, value in grapnel_cli.EXIT.items()}
    kind = kinds.get(answer.code, f"exit code {answer.code}")
    if kind == "ok":
        rows = json.loads(answer.out, parse_int=str, parse_float=str)
        return "rows", rows, answer.stats.get("program", "?")
    return kind, answer.err.strip(), ""


def served(sql):
    """The statement as it is put to the server of ship, whose root has the tables."""
    return sql.replace(f"{KEPT}/", "")


def judge(query, answer, expected, failure, oracle):
    """What is wrong with grapnel's answer, or None; and whether the query was skipped, and why."""
    kind, content, _ = answer
    if kind == "rows":
        if failure is None:
            return difference(content, expected), None
        if "Out of Range" in failure or "Conversion" in failure or "Invalid Input" in failure:
            return None, "DuckDB fails on records that WHERE rejects"
        return None, "DuckDB refuses it: " + failure[:60]
    if kind == "refused":
        return None, "refused: " + content.split("\n")[0][:70]
    if kind == "error" and failure is not None:
        return None, None
    if kind == "error" and "out of range" in content and " LIMIT " in query.grapnel:
        return None, "out of range in a row that LIMIT cuts off (docs/sql.md)"
    # DuckDB computes a group key that follows from another one only for the groups that remain.
    if kind == "error" and "out of range" in content and oracle.fails_without_having(query):
        return None, "out of range in a group that HAVING rejects (docs/sql.md)"
    return f"{kind}: {content[-600:]}", None


def run_query(name, table, query, expected, failure, oracle, hooks, rng):
    """(outcome, reason, lines to print, per hook what it did)"""
    sql = query.grapnel.replace("{source}", table.source)
    did = {}
    for hook in hooks:
        threads = rng.choice([1, 2])
        lowering = rng.choice(LOWERINGS)
        answer = ask(sql, hook, threads, lowering)
        did[hook] = answer[0]
        if answer[2] and hook != "pipe":
            did[answer[2]] = "queries"
        if answer[0] == "hook cannot":
            did[f"{hook} cannot"] = answer[1].split("\n")[0][-70:]
        if answer[0] == "hook cannot" and hook != "read":
            continue
        problem, skipped = judge(query, answer, expected, failure, oracle)
        if problem:
            return Outcome.failed, "", [
                f"FAILED {name} --hook {hook} --threads {threads}", f"  {problem}",
                f"  oracle: {query.oracle}" + (f" -> {failure}" if failure else ""),
                "  " + command(sql, hook, threads, lowering)], did
        if skipped:
            return Outcome.skipped, skipped, [], did
    return Outcome.passed, "", [], did


def command(sql, hook, threads, lowering=None):
    place = ""
    if hook == "ship":
        sql, place = served(sql), f"--on HOST:PORT (grapnel serve --root {KEPT}) "
    quoted = sql.replace("'", "'\\''")
    forced = f"GRAPNEL_NATIVE={lowering} " if lowering else ""
    return f"{forced}{grapnel_cli.PROGRAM} query {place}--hook {hook} --threads {threads} '{quoted}'"


# --- all of them ----------------------------------------------------------------------------------

def usable_hooks():
    """Those that can run here at all; a hook that cannot says why."""
    probe = KEPT / "probe.csv"
    probe.write_text("a,b\n1,2\n" * 100)
    found = []
    for hook in ("read", "mmap", "direct", "pipe", "pagecache", "sendfile", "syscall", "ship"):
        kind, content, _ = ask(f"SELECT count(*) FROM csv({sql_text(str(probe))}, header => true, "
                            "columns => 'a VARCHAR, b VARCHAR')", hook, 1)
        if kind == "rows":
            found.append(hook)
        else:
            print(f"hook {hook} is left out: {content.splitlines()[-1] if content else kind}")
    return found


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--queries", type=int, default=16, help="per table")
    parser.add_argument("--hooks", help="a,b,...: those, and not all that can run here")
    parser.add_argument("--only", help="TABLE or TABLE.QUERY")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


class Suite:
    def __init__(self, options, hooks):
        self.options, self.hooks = options, hooks
        self.counts = collections.Counter()
        self.reasons = collections.Counter()
        self.per_hook = {hook: collections.Counter() for hook in hooks}
        self.lock = threading.Lock()

    def run_table(self, number):
        seed = self.options.seed * 1000 + number
        rng = random.Random(seed)
        table = random_table(rng, KEPT, number, number < LARGE_TABLES)
        generator = Generator(rng, table)
        queries = [generator.query() for _ in range(self.options.queries)]
        wanted = (self.options.only or "").split(".")
        try:
            oracle = Oracle(table)
        except duckdb.Error as error:
            self.report(f"table {number}: DuckDB cannot read it: {str(error)[:300]}")
            with self.lock:
                self.counts[Outcome.failed] += 1
            return
        failed = False
        for i, query in enumerate(queries):
            if len(wanted) > 1 and wanted[1] != str(i):
                continue
            failed |= not self.run_one(f"{number}.{i}", table, query, oracle, rng)
        oracle.connection.close()
        if not failed and not self.options.only:
            os.unlink(table.path)

    def run_one(self, name, table, query, oracle, rng):
        expected, failure = None, None
        try:
            expected = oracle.rows(query)
        except DuckDbError as error:
            failure = str(error)
        try:
            outcome, reason, lines, did = run_query(name, table, query, expected, failure,
                                                    oracle, self.hooks, rng)
        except Exception as error:  # whatever goes wrong with one query is its failure
            sql = query.grapnel.replace("{source}", table.source)
            outcome, reason, did = Outcome.failed, "", {}
            lines = [f"FAILED {name}: {error!r}", "  " + command(sql, "read", 1)]
        with self.lock:
            self.counts[outcome] += 1
            if reason:
                self.reasons[reason] += 1
            for hook, kind in did.items():
                self.per_hook.setdefault(hook, collections.Counter())[kind] += 1
        if lines:
            self.report("\n".join(lines))
        return outcome != Outcome.failed

    def report(self, text):
        with self.lock:
            print(text, flush=True)

    def run(self):
        numbers = range(self.options.tables)
        if self.options.only:
            numbers = [int(self.options.only.split(".")[0])]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            done = 0
            for _ in concurrent.futures.as_completed([pool.submit(self.run_table, number)
                                                      for number in numbers]):
                done += 1
                if done % 10 == 0:
                    self.report(f"{done} of {len(numbers)} tables, {sum(self.counts.values())} queries")

    def summarize(self, seconds):
        for reason, count in self.reasons.most_common():
            print(f"skipped {count}: {reason}")
        for hook, kinds in self.per_hook.items():
            print(f"{hook}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(8)))
        counts = self.counts
        total = sum(counts.values())
        executed = counts[Outcome.passed] + counts[Outcome.failed]
        print(f"seed {self.options.seed}: {total} queries in {seconds:.0f} s, "
              f"{executed / max(1, total):.0%} executed")
        if executed < LEAST_EXECUTED * total:
            print(f"FAILED: fewer than {LEAST_EXECUTED:.0%} of the queries were executed")
            counts[Outcome.failed] += 1
        print(f"{counts[Outcome.passed]} passed, {counts[Outcome.failed]} failed, "
              f"{counts[Outcome.skipped]} skipped")
        return 1 if counts[Outcome.failed] or not executed else 0


def main():
    options = arguments()
    start = time.monotonic()
    print(f"seed {options.seed}")
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    if not grapnel_cli.PROGRAM.exists():
        print(f"{grapnel_cli.PROGRAM} is missing: ./dev build\n0 passed, 1 failed, 0 skipped")
        return 1
    with SERVER:
        hooks = options.hooks.split(",") if options.hooks else usable_hooks()
        print("hooks: " + ", ".join(hooks))
        suite = Suite(options, hooks)
        suite.run()
    return suite.summarize(time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
