"""What a watch costs the program that is watched, and what it covers of what that reads.

  ./dev bench watch [--rounds 11] [--scale 1] [--write]      (writes docs/results/watch.md)

Runs without a watch, with one, and with one of another file take turns, so that a machine that gets
slower meanwhile does so for all of them. Every answer of a watch that saw the whole file is checked.
"""

import argparse
import dataclasses
import json
import os
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
# With its worker stopped while the file is read, a watch costs what its programs in the kernel cost, and
# no more: the worker takes no CPU, no cache and no lock from the reader.
WATCHES = ["none", "this file", "worker stopped", "another file"]
QUERIES = {
    "Q6": cli.q6,
    "Q1": cli.q1,
}


@dataclasses.dataclass
class Run:
    wall: float  # seconds, of the reader
    cpu: float
    final: dict  # the watch's last state, or None


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


def unquoted(path):
    """So that every piece counts, wherever it lies: see docs/watch.md."""
    return cli.lineitem(path)[:-1] + ", quote => '')"


def prepare(path, state):
    (engines.make_cached if state == "cached" else engines.drop_cached)(path)


def one_run(reader, path, sql, stopped=False):
    """The reader's time, and the watch's final state."""
    watch = Watch(sql) if sql else None
    time.sleep(0.05)
    if stopped:
        watch.process.send_signal(signal.SIGSTOP)
    begin = time.perf_counter()
    process = subprocess.Popen(readers.READERS[reader](path, 0), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, reader
    if stopped:
        watch.process.send_signal(signal.SIGCONT)
    return Run(wall, used.ru_utime + used.ru_stime, watch.end() if watch else None)


def measure(path, other, query, reader, state, rounds):
    """{watch: [Run]}, the first round left out."""
    runs = {watch: [] for watch in WATCHES}
    for round_number in range(rounds + 1):
        turns = WATCHES[round_number % len(WATCHES):] + WATCHES[:round_number % len(WATCHES)]
        for watch in turns:
            prepare(path, state)
            this = query(unquoted(path))
            sql = {"none": None, "this file": this, "worker stopped": this,
                   "another file": f"SELECT count(*) FROM lines('{other}')"}[watch]
            run = one_run(reader, path, sql, watch == "worker stopped")
            if round_number:
                runs[watch].append(run)
    return runs


def median(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def row(reader, state, query, runs):
    def change(watch, what):
        return f"{100 * (median(runs[watch], what) / median(runs['none'], what) - 1):+.1f} %"

    alone = [1e3 * run.wall for run in runs["none"]]
    finals = [run.final for run in runs["this file"]]
    covered = min(100 * final["counted_bytes"] / final["data_bytes"] for final in finals)
    events = statistics.median(final["events"] for final in finals)
    event_ns = statistics.median(
        1e9 * final["events_cpu_seconds"] / max(1, final["events"]) for final in finals)
    longest_us = max(1e6 * final["longest_event_seconds"] for final in finals)
    worker = statistics.median(final["worker_cpu_seconds"] for final in finals)
    return (f"| {reader} | {state} | {query} | {statistics.median(alone):.0f} "
            f"({min(alone):.0f} - {max(alone):.0f}) | {change('this file', 'wall')} | "
            f"{change('another file', 'wall')} | {1e3 * median(runs['none'], 'cpu'):.0f} | "
            f"{change('this file', 'cpu')} | {change('worker stopped', 'cpu')} | "
            f"{change('another file', 'cpu')} | {events:.0f} | "
            f"{event_ns:.0f} | {longest_us:.0f} | {worker:.2f} | {covered:.1f} % |")


HEADING = """# What a watch costs

Made by `./dev bench watch --write`: {path} ({megabytes:.0f} MB), read by another process; without a watch,
with one, and with one of another file in turns; medians of {rounds} runs (and the range without a watch).
Compare ratios, not absolutes: the machine is shared, and the worker of the watch needs a CPU, too. The reader's
own CPU time says what the watch takes from it: *kernel part* is that with the worker of the watch stopped
meanwhile, the rest is what reader and worker take from each other (caches, locks of the page cache, faster clocks
for one busy CPU than for two). Its wall time also says whether a CPU was free for the worker.

Machine: {machine}; load {load:.0f} when this began. Date: {day}.

| reader | file | query | alone, ms | watched | another file watched | CPU alone, ms | watched | kernel part | another file | events | ns per event | longest, µs | worker, CPU s | counted, at least |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
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
                          rounds=arguments.rounds, machine=report.machine(), load=os.getloadavg()[0],
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
