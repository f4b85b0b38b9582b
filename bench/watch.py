"""What a watch costs the program that is watched, and what it covers of what that reads.

  ./dev bench watch [--rounds 11] [--scale 1] [--write]      (writes docs/results/watch.md)

Runs without a watch, with one, and with one of another file take turns, so that a machine that gets
slower meanwhile does so for all of them. Every answer of a watch that saw the whole file is checked.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools"), str(ROOT / "tests" / "watch")]

import engines  # noqa: E402
import grapnel_cli as cli  # noqa: E402
import readers  # noqa: E402
import report  # noqa: E402

READERS = ["cat", "dd bs=100003", "pread, random", "sendfile", "io_uring, buffered"]
STATES = ["cached", "cold"]
WATCHES = ["none", "this file", "another file"]
QUERIES = {
    "Q6": cli.q6,
    "Q1": cli.q1,
}


class Watch:
    def __init__(self, sql):
        self.process = subprocess.Popen([str(cli.PROGRAM), "watch", "--json", sql], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        for line in self.process.stderr:
            if line.startswith("watching"):
                return
        raise RuntimeError(f"the watch ended with code {self.process.wait()}")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=300)
        state = json.loads(out.splitlines()[-1])
        if state.get("error"):
            raise RuntimeError(err)
        return state


def prepare(path, state):
    (engines.make_cached if state == "cached" else engines.drop_cached)(path)


def one_run(reader, path, sql):
    """Seconds of the reader, and the watch's final state."""
    watch = Watch(sql) if sql else None
    time.sleep(0.05)
    begin = time.perf_counter()
    readers.read(reader, path)
    seconds = time.perf_counter() - begin
    return seconds, watch.end() if watch else None


def measure(path, other, query, reader, state, rounds):
    """{watch: [(seconds, final state)]}, the first round left out."""
    runs = {watch: [] for watch in WATCHES}
    for round_number in range(rounds + 1):
        turns = WATCHES[round_number % len(WATCHES):] + WATCHES[:round_number % len(WATCHES)]
        for watch in turns:
            prepare(path, state)
            sql = {"none": None, "this file": query(cli.lineitem(path)),
                   "another file": f"SELECT count(*) FROM lines('{other}')"}[watch]
            run = one_run(reader, path, sql)
            if round_number:
                runs[watch].append(run)
    return runs


def row(reader, state, query, runs):
    medians = {watch: statistics.median(seconds for seconds, _ in runs[watch]) for watch in WATCHES}
    spread = [seconds for seconds, _ in runs["none"]]
    finals = [final for _, final in runs["this file"]]
    covered = min(100 * final["counted_bytes"] / final["data_bytes"] for final in finals)
    events = statistics.median(final["events"] for final in finals)
    event_ns = statistics.median(
        1e9 * final["events_cpu_seconds"] / max(1, final["events"]) for final in finals)
    longest_us = max(1e6 * final["longest_event_seconds"] for final in finals)
    worker = statistics.median(final["worker_cpu_seconds"] for final in finals)
    change = {watch: 100 * (medians[watch] / medians["none"] - 1) for watch in WATCHES}
    return (f"| {reader} | {state} | {query} | {1e3 * medians['none']:.0f} "
            f"({1e3 * min(spread):.0f} - {1e3 * max(spread):.0f}) | {change['this file']:+.1f} % | "
            f"{change['another file']:+.1f} % | {events:.0f} | {event_ns:.0f} | {longest_us:.0f} | "
            f"{worker:.2f} | {covered:.1f} % |")


HEADING = """# What a watch costs

Made by `./dev bench watch --write`: {path} ({megabytes:.0f} MB), read by another process; without a watch,
with one, and with one of another file in turns; medians of {rounds} runs (and the range without a watch).
Compare ratios, not absolutes: the machine is shared, and the worker of the watch needs a CPU, too.

Machine: {machine}. Date: {day}.

| reader | file | query | alone, ms | watched | another file watched | events | ns per event | longest, µs | worker, CPU s | counted, at least |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--readers", default=",".join(READERS).replace(", ", " "))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    path = cli.DATA / f"tpch-sf{arguments.scale:g}" / "lineitem.tbl"
    other = path.with_suffix(".csv")
    wanted = [name for name in READERS if name.replace(", ", " ") in arguments.readers.split(",")]
    text = HEADING.format(path=path.name, megabytes=path.stat().st_size / 1e6,
                          rounds=arguments.rounds, machine=report.machine(),
                          day=date.today())
    print(text, end="", flush=True)
    for query_name, query in QUERIES.items():
        for reader in wanted if query_name == "Q6" else wanted[:1]:
            for state in STATES:
                runs = measure(path, other, query, reader, state, arguments.rounds)
                line = row(reader, state, query_name, runs)
                print(line, flush=True)
                text += line + "\n"
    if arguments.write:
        (ROOT / "docs" / "results" / "watch.md").write_text(text)


if __name__ == "__main__":
    main()
