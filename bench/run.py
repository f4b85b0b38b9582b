"""The speed gates. Every engine of a case is run in turn, round after round, so that noise of the
machine hits all alike; medians are compared. Every answer is checked.

  ./dev bench [--scale 1] [--scale 10] [--rounds 7] [--threads 1] [--threads 2] [--only TEXT]
              [--write]     (writes docs/results/speed.{md,json,svg})

Exit code 0: every gate is met; 1: one is missed, or an answer is wrong.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent),
                str(Path(__file__).resolve().parents[1] / "tools")]

import cases  # noqa: E402
import engines  # noqa: E402
import grapnel_cli as cli  # noqa: E402
import report  # noqa: E402


def same_answer(rows, expected):
    """Text for text; DOUBLE columns (averages) to twelve digits, since DuckDB adds in any order."""
    if len(rows) != len(expected):
        return False
    for row, other in zip(rows, expected):
        if len(row) != len(other):
            return False
        for a, b in zip(row, other):
            if a != b and abs(float(a) - float(b)) > 1e-12 * abs(float(b)):
                return False
    return True


def check(case, engine, rows, reference):
    if rows is None:
        return
    if case.answer and rows[0][0] != case.answer:
        raise AssertionError(f"{case.name}: {engine} says {rows[0][0]}, right is {case.answer}")
    if reference is not None and not same_answer(rows, reference):
        raise AssertionError(f"{case.name}: {engine} says {rows}, the others {reference}")


def measure(case, runner, rounds):
    """{engine: [bytes per second of each round]}"""
    size = os.path.getsize(case.path)
    rates = {engine: [] for engine in case.engines}
    reference = None
    if not case.cold:
        engines.make_cached(case.path)
    for round_number in range(rounds + 1):
        # Another one begins each round: who comes after whom must not matter (a host below a virtual
        # machine may have cached what the one before read).
        turn = round_number % len(case.engines)
        for engine in case.engines[turn:] + case.engines[:turn]:
            if case.cold:
                engines.drop_cached(case.path)
            seconds, rows = runner.run(engine, case)
            check(case, engine, rows, reference)
            reference = reference or rows
            if round_number > 0:  # the first one compiles, warms up and is not counted
                rates[engine].append(size / seconds)
        print(".", end="", flush=True)
    return rates


def judge(case, medians):
    """[(gate, ratio, met)]"""
    verdicts = []
    for gate in case.gates:
        if gate.engine.startswith("best of "):
            rate = max(medians[name] for name in gate.engine[len("best of "):].split(","))
        else:
            rate = medians[gate.engine]
        ratio = rate / medians[gate.against]
        verdicts.append((gate, ratio, ratio >= gate.least))
    return verdicts


def start_time(rounds=15):
    """Median milliseconds of `grapnel --help` beyond /bin/true."""
    def median_ms(command):
        times = []
        for _ in range(rounds):
            start = engines.time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times.append(1e3 * (engines.time.perf_counter() - start))
        return statistics.median(times)
    return median_ms([str(cli.PROGRAM), "--help"]) - median_ms(["/bin/true"])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", action="append", type=int)
    parser.add_argument("--threads", action="append", type=int)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--write", action="store_true", help="write docs/results/speed.*")
    arguments = parser.parse_args()

    runner = engines.Engines()
    wanted = []
    for scale in arguments.scale or [1]:
        subprocess.run(["bash", "tools/dev/data.sh", str(scale)], check=True, cwd=cli.ROOT)
        for threads in arguments.threads or [1, 2]:
            wanted += [(scale, case) for case in cases.tpch_cases(scale, threads)]
        wanted.append((scale, cases.cold_case(scale)))
    wanted.append((0, cases.fixed_case()))

    results, missed = [], 0
    for scale, case in wanted:
        if arguments.only not in case.name:
            continue
        label = case.name + (f", scale {scale}" if scale else "")
        print(f"{label:60}", end="", flush=True)
        rates = measure(case, runner, arguments.rounds)
        medians = {engine: statistics.median(values) for engine, values in rates.items()}
        verdicts = judge(case, medians)
        print()
        for engine in case.engines:
            print(f"    {engine:16} {medians[engine] / 1e9:6.2f} GB/s   "
                  f"({min(rates[engine]) / 1e9:.2f} .. {max(rates[engine]) / 1e9:.2f})")
        for gate, ratio, met in verdicts:
            missed += not met
            print(f"    {'ok    ' if met else 'MISSED'} {gate.engine} / {gate.against} = "
                  f"{ratio:.2f} (at least {gate.least})")
        results.append({"case": label, "rates": rates, "medians": medians,
                        "gates": [{"engine": g.engine, "against": g.against, "least": g.least,
                                   "ratio": r, "met": m} for g, r, m in verdicts]})
    help_ms = start_time()
    print(f"grapnel --help: {help_ms:.1f} ms more than /bin/true (at most 10)")
    missed += help_ms > 10
    if arguments.write:
        report.write(cli.ROOT / "docs" / "results", results, help_ms)
    print(json.dumps({"gates_missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
