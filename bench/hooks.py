"""Every hook side by side on the same file: what it costs, and what it leaves behind.

  ./dev bench hooks [--rounds 5] [--scale 1] [--write]     (writes docs/results/hooks.{md,json,svg})

Hooks take turns, round after round. Every answer is checked, and so is that the named hook did the work; a
hook that cannot is listed with its reason.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools"), str(ROOT / "tests" / "hooks")]

import engines  # noqa: E402
import grapnel_cli as cli  # noqa: E402
import hooks_report  # noqa: E402
import page_cache  # noqa: E402

HOOKS = ["read", "mmap", "direct", "pipe", "pagecache", "sendfile", "syscall", "block"]
STATES = ["cached", "cold"]


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Sample:
    """One run: what can be seen of it from outside, and what it says of itself."""

    def __init__(self, hook, state, threads, case):
        if state == "cached":
            engines.make_cached(case.path)
        else:
            engines.drop_cached(case.path)
        cpu_before = children_cpu_seconds()
        self.answer = cli.query(case.sql, hook=hook, threads=threads)
        self.cpu_seconds = children_cpu_seconds() - cpu_before
        self.reason = ""
        if self.answer.code == cli.EXIT["hook cannot"]:
            self.reason = self.answer.err.strip().splitlines()[0].removeprefix("grapnel: ")
            return
        self.answer.expect()
        if case.answer and self.answer.rows()[0].split(",")[0] != case.answer:
            raise AssertionError(f"{hook} {state}: {self.answer.rows()[0]}, right is {case.answer}")
        self.share = self.answer.computed_by(hook)
        self.counters = self.answer.stats["hooks"].get(hook, {})
        self.rate = os.path.getsize(case.path) / self.answer.seconds
        self.left_in_cache = (sum(page_cache.cached_pages(case.path)) * page_cache.PAGE
                              if state == "cold" else None)


def measure(case, rounds):
    """{(hook, state, threads): [Sample of each round]}; a refusal is asked for once."""
    samples = {}
    for state in STATES:
        for round_number in range(rounds + 1):
            for threads in (1, 2):
                for hook in HOOKS:
                    key = (hook, state, threads)
                    if key in samples and samples[key][0].reason:
                        continue
                    sample = Sample(hook, state, threads, case)
                    if sample.reason:
                        samples[key] = [sample]
                    elif round_number > 0:  # the first one compiles and is not counted
                        samples.setdefault(key, []).append(sample)
            print(".", end="", flush=True)
    print()
    return samples


def summary(samples):
    """One row per hook, state and number of threads, by medians."""
    rows = []
    for (hook, state, threads), runs in samples.items():
        row = {"hook": hook, "state": state, "threads": threads, "reason": runs[0].reason}
        if not row["reason"]:
            def median(value):
                return statistics.median(value(run) for run in runs)
            row |= {
                "bytes_per_second": median(lambda run: run.rate),
                "least": min(run.rate for run in runs), "most": max(run.rate for run in runs),
                "cpu_seconds": median(lambda run: run.cpu_seconds),
                "bytes_copied": median(lambda run: run.counters.get("bytes_copied", 0)),
                "share": min(run.share for run in runs),
                "left_in_cache": runs[0].left_in_cache,
                "load_seconds": median(lambda run: run.counters.get("load_seconds", 0)),
                "longest_run_seconds": max(run.counters.get("longest_run_seconds", 0)
                                           for run in runs),
                "verified_instructions": runs[0].counters.get("verified_instructions", 0)}
        rows.append(row)
    return rows


def tax():
    """({what: ns without any hook}, {hook: {what: ns more}}), as `grapnel doctor --tax` measures it."""
    said = json.loads(cli.run("doctor", "--tax", "--format", "json").expect().out)
    base = {"system call": said["call_ns"], "cached read": said["read_ns"]}
    keys = {"system call": "call_ns", "cached read": "read_ns", "block request": "request_ns"}
    return base, {hook["hook"]: {what: hook[key] for what, key in keys.items() if key in hook}
                  for hook in said["hooks"] if not hook["reason"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write docs/results/hooks.*")
    arguments = parser.parse_args()
    import cases
    subprocess.run(["bash", "tools/dev/data.sh", str(arguments.scale)], check=True, cwd=ROOT)
    case = next(case for case in cases.tpch_cases(arguments.scale, 1) if "Q6 .tbl" in case.name)
    rows = summary(measure(case, arguments.rounds))
    base, taxes = tax()
    text = hooks_report.markdown(rows, base, taxes, os.path.getsize(case.path))
    print(text)
    if arguments.write:
        hooks_report.write(ROOT / "docs" / "results", rows, base, taxes, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
