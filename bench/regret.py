"""The chooser's regret: how much longer its choice takes than the best hook that is named.

  ./dev bench regret [--rounds 3] [--sizes 1,16,128,1024,4096] [--write]   (writes docs/results/regret.{md,json,svg})

Every case (op class and format, size, cached share, threads) runs by the chooser twice and by every hook that
it could have taken, in turns within each round. Regret is the chooser's median over the best hook's; what the
chooser's two series differ by is the spread that the machine makes by itself, and is taken off.
"""

import argparse
import itertools
import json
import os
import statistics
import struct
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools")]

import grapnel_cli as cli  # noqa: E402
import regret_report  # noqa: E402

SHARES = [0, 25, 50, 75, 100]
# Those that it may take unasked.
HOOKS = ["read", "direct", "pipe", "sendfile"]
MEGABYTE = 1 << 20
# Of files as large as this, which take minutes, only these and three shares.
LARGE = 1 << 30
LARGE_OPERATIONS = ["csv sum", "fixed sum"]
# Pages of one folio leave the cache together, and a folio can have 2 MiB.
PART = 2 * MEGABYTE


def text_file(directory, size):
    """The beginning of lineitem, in whole lines; over again if that is not enough."""
    path = directory / f"lineitem-{size}.tbl"
    if not path.exists():
        with open(cli.DATA / "tpch-sf1" / "lineitem.tbl", "rb") as source, open(path, "wb") as out:
            while out.tell() < size:
                data = source.read(min(64 * MEGABYTE, size - out.tell()))
                if not data:
                    source.seek(0)
                elif out.tell() + len(data) == size:
                    out.write(data[:data.rindex(b"\n") + 1])
                    break
                else:
                    out.write(data)
    return path


def fixed_file(directory, size):
    path = directory / f"records-{size}.bin"
    if not path.exists():
        record = struct.Struct("<qiiq")
        block = b"".join(record.pack(i, i * 7919 % 1000, i % 50, i * i) for i in range(1 << 15))
        whole, rest = divmod(size // record.size * record.size, len(block))
        with open(path, "wb") as out:
            for _ in range(whole):
                out.write(block)
            out.write(block[:rest])
    return path


def operations(directory, size):
    """Name -> (file, statement)."""
    text = text_file(directory, size)
    fixed = fixed_file(directory, size)
    csv = cli.lineitem(text)
    records = f"fixed('{fixed}', columns => 'a BIGINT, b INTEGER, c INTEGER, d BIGINT')"
    return {
        "csv count": (text, f"SELECT count(*) FROM {csv} WHERE l_quantity < 24"),
        "csv sum": (text, cli.q6(csv)),
        "csv group": (text, "SELECT l_returnflag, l_linestatus, sum(l_quantity), count(*) FROM "
                            f"{csv} WHERE l_tax < 0.05 GROUP BY 1, 2 ORDER BY 1, 2"),
        "lines search": (text, f"SELECT count(*) FROM lines('{text}') WHERE line LIKE '77%'"),
        "fixed sum": (fixed, f"SELECT sum(a), sum(d) FROM {records} WHERE c < 24"),
    }


def make_share(path, share):
    """Leaves `share` percent of the file in the page cache, in parts spread over it."""
    size = os.path.getsize(path)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        if share == 0:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            return
        os.lseek(fd, 0, os.SEEK_SET)
        while os.read(fd, MEGABYTE):
            pass
        for number, begin in enumerate(range(0, size, PART)):
            if number * share // 100 == (number + 1) * share // 100:
                os.posix_fadvise(fd, begin, PART, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


class Case:
    def __init__(self, operation, path, sql, size, share, threads):
        self.operation, self.path, self.sql = operation, path, sql
        self.size, self.share, self.threads = size, share, threads
        self.seconds = {}
        self.picked = {}
        self.answer = None

    def run(self, name):
        """One run by a hook, or by the chooser ("chosen 1", "chosen 2")."""
        make_share(self.path, self.share)
        hook = None if name.startswith("chosen") else name
        answer = cli.query(self.sql, hook=hook, threads=self.threads)
        if answer.code == cli.EXIT["hook cannot"]:
            return
        answer.expect()
        if self.answer is None:
            self.answer = answer.out
        if answer.out != self.answer:
            raise AssertionError(f"{self.sql}: {name} says {answer.out}, before it was {self.answer}")
        self.seconds.setdefault(name, []).append(answer.stats["wall_seconds"])
        if hook is None:
            self.picked[answer.stats["hook"]] = self.picked.get(answer.stats["hook"], 0) + 1

    def result(self):
        medians = {name: statistics.median(values) for name, values in self.seconds.items()}
        chosen = statistics.median(self.seconds["chosen 1"] + self.seconds["chosen 2"])
        best = min((name for name in medians if not name.startswith("chosen")), key=medians.get)
        spread = abs(medians["chosen 1"] / medians["chosen 2"] - 1)
        regret = chosen / medians[best] - 1
        return {"operation": self.operation, "megabytes": self.size // MEGABYTE,
                "share": self.share, "threads": self.threads,
                "picked": max(self.picked, key=self.picked.get), "best": best,
                "chosen_seconds": chosen, "best_seconds": medians[best], "regret": regret,
                "spread": spread, "excess": max(0.0, regret - spread),
                "seconds": {name: values for name, values in self.seconds.items()}}


def make_cases(directory, sizes):
    cases = []
    for megabytes in sizes:
        size = megabytes * MEGABYTE
        # A file of one part is in the cache or not.
        shares = SHARES if size >= 4 * PART else [0, 100]
        large = size >= LARGE
        for (name, (path, sql)), share in itertools.product(
                operations(directory, size).items(), [0, 50, 100] if large else shares):
            if large and name not in LARGE_OPERATIONS:
                continue
            for threads in ([1, 2] if share == 100 and size > 4 * PART else [2]):
                cases.append(Case(name, path, sql, size, share, threads))
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="1,16,128,1024,4096", help="in MiB")
    parser.add_argument("--write", action="store_true", help="docs/results/regret.*")
    options = parser.parse_args()
    directory = cli.BUILD / "regret"
    directory.mkdir(parents=True, exist_ok=True)
    cases = make_cases(directory, [int(size) for size in options.sizes.split(",")])
    load = [os.getloadavg()[0]]
    begin = time.monotonic()
    compiled = set()
    for case in cases:
        if case.operation not in compiled:  # the first runs compile, and are not counted
            for name in [*HOOKS, "chosen 1"]:
                case.run(name)
            compiled.add(case.operation)
            case.seconds, case.picked = {}, {}
        names = ["chosen 1", *HOOKS, "chosen 2"]
        for number in range(options.rounds):
            for name in names if number % 2 == 0 else names[::-1]:
                case.run(name)
        result = case.result()
        load.append(os.getloadavg()[0])
        print(f"{result['operation']:13} {result['megabytes']:5} MiB {result['share']:3} % "
              f"{result['threads']} threads: {result['picked']:7} best {result['best']:7} regret "
              f"{100 * result['regret']:6.1f} % spread {100 * result['spread']:5.1f} %", flush=True)
    results = {"rounds": options.rounds, "load": load, "seconds": time.monotonic() - begin,
               "cases": [case.result() for case in cases]}
    print(regret_report.summary(results["cases"]))
    if options.write:
        out = ROOT / "docs" / "results"
        (out / "regret.json").write_text(json.dumps(results) + "\n")
        (out / "regret.md").write_text(regret_report.markdown(results))
        (out / "regret.svg").write_text(regret_report.svg(results["cases"]))


if __name__ == "__main__":
    main()
