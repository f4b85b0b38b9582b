"""The scenario, measured: a server with the data, a client with the question, a link of 1 GB/s and
10 ms between them (two network namespaces of this machine).

  ./dev bench scenario [--scale 1|10] [--rounds 3] [--only REGEX] [--state cached|cold] [--write]

Compared are shipping the file (nginx, read by the best local tool while it arrives), usual tools run at
the server, and grapnel through each hook and by its own choice, beside what the model says. The ways take
turns, round after round; every answer is checked against the others. --write makes
docs/results/scenario.{md,json,svg}. Needs root (network namespaces)."""

import argparse
import json
import re
import shlex
import signal
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "tools")]

import engines  # noqa: E402
import grapnel_cli as cli  # noqa: E402
import network  # noqa: E402
import operations  # noqa: E402
import prediction  # noqa: E402
import scenario_report  # noqa: E402
import ways  # noqa: E402

LINK_BYTES_PER_SECOND, RTT_SECONDS = 1e9, 0.010
HOOKS = {"cached": ["read", "mmap", "pipe", "pagecache", "sendfile", "syscall", "ship"],
         "cold": ["read", "direct", "pipe", "block", "ship"]}
# For a filter: the best that pushes, and the one that ships.
FILTER_HOOKS = {"cached": ["read", "ship"], "cold": ["direct", "ship"]}


def same(rows, others):
    """Numbers to 2e-5: DataFusion cuts averages to six places, some engines add in floating point."""
    if len(rows) != len(others):
        return False
    for row, other in zip(rows, others):
        if len(row) != len(other):
            return False
        for a, b in zip(row, other):
            try:
                if abs(float(a) - float(b)) > 2e-5 * abs(float(b)):
                    return False
            except ValueError:
                if a != b:
                    return False
    return True


def ways_for(case, state, python):
    found = [ways.Ship(python)]
    if state == "cached":
        found += [ways.ServerTool(engine, python) for engine in ways.SERVER_TOOLS[case.kind]]
    hooks = (FILTER_HOOKS if case.kind == "filter" else HOOKS)[state]
    return found + [ways.Grapnel(hook) for hook in [None, *hooks]]


def measure(case, state, link, python, rounds):
    """{way: {"seconds": [...], "hook": ..., "reason": ...}}"""
    results, reference = {}, None
    line_up = ways_for(case, state, python)
    if state == "cached":
        engines.make_cached(case.path)
    for round_number in range(rounds + 1):
        turn = round_number % len(line_up)
        for way in line_up[turn:] + line_up[:turn]:
            entry = results.setdefault(way.name, {"seconds": [], "hook": "", "reason": ""})
            if entry["reason"]:
                continue
            if state == "cold":
                engines.drop_cached(case.path)
            run = way.run(case, link)
            if run.reason:
                entry["reason"] = run.reason
                continue
            reference = reference or run.answer
            if not same(run.answer, reference):
                raise AssertionError(f"{case.name}: {way.name} says {run.answer[:3]}, the others "
                                     f"{reference[:3]}")
            entry["hook"] = run.hook
            if round_number > 0:  # the first one compiles and warms up
                entry["seconds"].append(run.seconds)
        print(".", end="", flush=True)
    return results


def show(results):
    for name, entry in sorted(results.items(), key=lambda item: item[1].get("median") or 1e9):
        if entry["reason"]:
            print(f"    {name:20} -        {entry['reason'][:90]}")
        else:
            model = entry.get("model")
            print(f"    {name:20} {entry['median']:8.3f} s   ({min(entry['seconds']):.3f} .. "
                  f"{max(entry['seconds']):.3f})   "
                  + (f"model {model:.3f} s   " if model else "")
                  + (f"took '{entry['hook']}'" if name == "grapnel choice" else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, choices=[1, 10], default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="operations whose name fits this regular expression")
    parser.add_argument("--state", choices=["cached", "cold"], help="default: both")
    parser.add_argument("--write", action="store_true", help="write docs/results/scenario.*")
    parser.add_argument("--nginx", default="build/scenario/root/usr/sbin/nginx")
    arguments = parser.parse_args()
    python = sys.executable
    # Else the namespaces and the servers in them would outlive us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    subprocess.run(["bash", "tools/dev/data.sh", str(arguments.scale)], check=True, cwd=cli.ROOT)
    cases = [case for case in operations.all_cases(arguments.scale) if re.search(arguments.only, case.name)]
    link = network.Link(cli.BUILD / "bench_link", LINK_BYTES_PER_SECOND, RTT_SECONDS)
    found = []
    with link:
        network.enter(link.client)
        with ways.Services(link, arguments.nginx) as services:
            empty = link.measure()
            services.measure_link()  # for the choice between pushing and shipping
            print(f"the link: {empty['bytes_per_second'] / 1e9:.2f} GB/s, "
                  f"{1e3 * empty['rtt_seconds']:.2f} ms round trip")
            relay_before, server_before = link.cpu_seconds(), services.server_cpu_seconds()
            for case in cases:
                for state in [arguments.state] if arguments.state else ["cached", "cold"]:
                    if case.kind == "filter" and state == "cold":
                        continue  # told from the cached ones by the device's time alone
                    print(f"{case.name}, {state} ", end="", flush=True)
                    results = measure(case, state, link, python, arguments.rounds)
                    for entry in results.values():
                        if entry["seconds"]:
                            entry["median"] = statistics.median(entry["seconds"])
                    prediction.add(results, case, state, empty, python)
                    print()
                    show(results)
                    found.append({"case": case.name, "kind": case.kind, "state": state,
                                  "share": case.selectivity,
                                  "bytes": case.path.stat().st_size, "ways": results})
            relay_cpu = link.cpu_seconds() - relay_before
            server_cpu = services.server_cpu_seconds() - server_before
    print(link.said)
    outcome = {"options": shlex.join(sys.argv[1:]), "scale": arguments.scale, "rounds": arguments.rounds, "link": empty,
               "link_said": link.said, "relay_cpu_seconds": relay_cpu,
               "server_cpu_seconds": server_cpu, "cases": found,
               "device_bytes_per_second": prediction.device_bytes_per_second(cases[0].path)}
    verdicts = scenario_report.judge(outcome)
    for text, met in verdicts:
        print(f"{'ok    ' if met else 'MISSED'} {text}")
    if arguments.write:
        scenario_report.write(cli.ROOT / "docs" / "results", outcome, verdicts)
    print(json.dumps({"aims_missed": sum(not met for _, met in verdicts)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
