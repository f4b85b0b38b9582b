#!/usr/bin/env python3
"""What `grapnel trace` costs, and how much it bears: reads of cached bytes, as many as there can be.

    bench/trace.py [--rounds N] [--cpu N] [--seconds S] [--rate EVENTS] [--nice N]

Reader and trace share one CPU. First the reader runs flat out, without a trace and with each kind of
trace, in turns: what a read takes longer is what the trace costs whoever is traced. Then it reads at
a given rate, and nothing may be lost. Prints tables in Markdown."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import grapnel_cli as grapnel  # noqa: E402

# Reads 64 bytes of 16 files in turn until the time is over; RATE 0: as fast as it can. Prints the
# number of reads, the seconds, and the seconds of CPU.
READER = """
import os, sys, time
seconds, rate = float(sys.argv[1]), int(sys.argv[2])
fds = [os.open(path, os.O_RDONLY) for path in sys.argv[3:]]
rounds, pread, began = 0, os.pread, time.monotonic()
while (now := time.monotonic()) < began + seconds:
    if rate and rounds * 16 * len(fds) > rate * (now - began):
        time.sleep(0.0005)
        continue
    for offset in range(0, 1024, 64):
        for fd in fds:
            pread(fd, 64, offset)
    rounds += 1
print(rounds * 16 * len(fds), time.monotonic() - began, time.process_time())
"""
# One that is none of those looked for, to see what others pay.
OTHER = READER.replace("pread(fd, 64, offset)", "getppid()").replace("os.pread", "os.getppid").replace(
    "pread, began", "getppid, began")

KINDS = {
    "no trace": None,
    "sums, all layers": [],
    "sums, --layer syscall": ["--layer", "syscall"],
    "sums, --file of another": ["--file", "/no/such/file"],
    "--events": ["--events"],
    "--events --json": ["--events", "--json"],
}


class Tracing:
    """A trace on the CPU of the caller; None: none."""

    def __init__(self, arguments):
        self.arguments = arguments

    def __enter__(self):
        if self.arguments is None:
            return self
        self.out = tempfile.TemporaryFile("w+")
        sums = [] if "--events" in self.arguments else ["--json"]
        # What is not looked at must be written all the same.
        self.process = subprocess.Popen(
            [str(grapnel.PROGRAM), "trace", *sums, *self.arguments], stdin=subprocess.DEVNULL,
            stdout=self.out if sums else subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(2)
        return self

    def __exit__(self, *_):
        if self.arguments is None:
            return
        self.process.send_signal(2)
        _, status, used = os.wait4(self.process.pid, 0)
        self.code = self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = used.ru_utime + used.ru_stime
        self.out.seek(0)
        lines = [json.loads(line) for line in self.out if line.startswith('{"type": "total"')]
        self.total = lines[0] if lines else None

    def lost(self):
        if self.arguments is None:
            return "-"
        if self.total is None:  # exit code 3 says that something was
            return "none" if self.code == 0 else "some"
        lost = {key: value for key, value in self.total.items() if key.startswith("lost") and value}
        return str(lost) if lost else "none"


def run_reader(script, seconds, rate, paths):
    done = subprocess.run([sys.executable, "-c", script, str(seconds), str(rate), *map(str, paths)],
                          capture_output=True, text=True, check=True)
    count, taken, cpu = done.stdout.split()
    return int(count), float(taken), float(cpu)


def flat_out(options, paths):
    times, others, own, losses = {}, {}, {}, {}
    for _ in range(options.rounds):
        for kind, arguments in KINDS.items():
            with Tracing(arguments) as trace:
                count, _, cpu = run_reader(READER, options.seconds, 0, paths)
                times.setdefault(kind, []).append(1e9 * cpu / count)
                calls, _, cpu = run_reader(OTHER, 1, 0, paths)
                others.setdefault(kind, []).append(1e9 * cpu / calls)
            if arguments is not None:
                own.setdefault(kind, []).append(1e9 * trace.cpu_seconds / count)
            losses.setdefault(kind, set()).add(trace.lost())
    base, other_base = (statistics.median(all["no trace"]) for all in (times, others))
    print("CPU time. The trace's own: user space, from start to end, over the reads.\n")
    print("| trace | reads per CPU second | ns per read | of these the trace | the trace's own ns per read "
          "| getppid: added ns | lost |")
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS:
        ns, other = statistics.median(times[kind]), statistics.median(others[kind])
        mine = f"{statistics.median(own[kind]):.0f}" if kind in own else "-"
        print(f"| {kind} | {1e9 / ns:,.0f} | {ns:.0f} | {ns - base:.0f} | {mine} | {other - other_base:.0f} | "
              f"{', '.join(sorted(losses[kind]))} |")


def at_rate(options, paths):
    print(f"\n| trace, at {options.rate:,} reads/s wanted | reads/s | lost | exit code |")
    print("|---|---|---|---|")
    worst = 0
    for kind, arguments in KINDS.items():
        if arguments is None or "another" in kind:
            continue
        with Tracing(arguments) as trace:
            count, taken, _ = run_reader(READER, options.seconds, options.rate, paths)
        print(f"| {kind} | {count / taken:,.0f} | {trace.lost()} | {trace.code} |")
        worst = max(worst, trace.code)
    return worst


def costs(options, paths):
    """Of the programs, as the kernel measures them; that itself costs some 20 ns for each run."""
    with Tracing(["--cost"]) as trace:
        run_reader(READER, options.seconds, 0, paths)
    trace.out.seek(0)
    print("\n| program | runs | ns per run |\n|---|---|---|")
    for line in map(json.loads, trace.out):
        if line["type"] == "cost" and line["runs"]:
            print(f"| {line['program']} | {line['runs']:,} | {1e9 * line['seconds'] / line['runs']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rate", type=int, default=200_000)
    parser.add_argument("--nice", type=int, default=0, help="for a machine that others use, too")
    options = parser.parse_args()
    os.nice(options.nice)
    os.sched_setaffinity(0, {options.cpu})
    with tempfile.TemporaryDirectory(dir=grapnel.BUILD) as folder:
        paths = [Path(folder) / f"file{number}" for number in range(16)]
        for path in paths:
            path.write_bytes(os.urandom(1 << 16))
        flat_out(options, paths)
        costs(options, paths)
        sys.exit(at_rate(options, paths))


if __name__ == "__main__":
    main()
