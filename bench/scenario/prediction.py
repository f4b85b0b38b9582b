"""What `grapnel estimate` says of each way, with the rates that each place has by itself: measured
here, beside the data, without the link."""

import json
import subprocess
from pathlib import Path

import grapnel_cli as cli
import network
import ways

HERE = Path(__file__).resolve().parent
MEASURED_ONCE = {}


def _local_seconds(case, hook):
    """Of the embedded query with two threads, its file cached; None if the hook cannot."""
    answer = cli.query(case.statement(case.path), hook=hook, threads=2)
    return answer.seconds if answer.code == 0 else None


def _client_seconds(case, python):
    """Of the tool that shipping ends in, fed by curl from the file itself."""
    most = case.sql.rsplit(" ", 1)[1] if case.kind == "filter" else "0"
    return ways.peer(network.Link.in_client(
        python, HERE / "peers.py", ways.SHIP_TOOLS[case.kind], case.kind, case.path, "--url",
        f"file://{case.path.resolve()}", "--threads", 2, "--most", most)).seconds


def device_bytes_per_second(path):
    """Of a bare reader around the page cache."""
    if "device" not in MEASURED_ONCE:
        done = subprocess.run([str(cli.BUILD / "bench_io_uring_reader"), str(path)],
                              capture_output=True, text=True, check=True)
        MEASURED_ONCE["device"] = float(done.stdout)
    return MEASURED_ONCE["device"]


def rates(case, python, hooks):
    """{"client": bytes per second, hook: bytes per second}; of the second of two runs."""
    size = case.path.stat().st_size
    found = {}
    for _ in range(2):
        found["client"] = size / _client_seconds(case, python)
        for hook in hooks:
            seconds = _local_seconds(case, hook)
            if seconds is not None:
                found[hook] = size / seconds
    return found


def hooks_of_the_model():
    if "hooks" not in MEASURED_ONCE:
        done = subprocess.run([str(cli.PROGRAM), "estimate", "--format", "json"],
                              capture_output=True, text=True, check=True)
        names = [entry["approach"] for entry in json.loads(done.stdout)]
        MEASURED_ONCE["hooks"] = {name.removeprefix("push: ").split(",")[0] for name in names
                                  if name.startswith("push: ")}
    return MEASURED_ONCE["hooks"]


def estimate(case, state, link, place_rates):
    """{approach: seconds}"""
    command = [str(cli.PROGRAM), "estimate", "--format", "json", "--connect", "tcp",
               "--size", f"{case.path.stat().st_size}B",
               "--result", f"{max(100, int(case.path.stat().st_size * case.selectivity / 100))}B",
               "--cached", "100%" if state == "cached" else "0%",
               "--device-rate", f"{device_bytes_per_second(case.path):.0f}B/s",
               "--link", f"{link['bytes_per_second']:.0f}B/s",
               "--rtt", f"{1e6 * link['rtt_seconds']:.0f}us",
               "--client-rate", f"{place_rates['client']:.0f}B/s"]
    for name, rate in place_rates.items():
        if name in hooks_of_the_model():
            command += ["--hook-rate", f"{name}={rate:.0f}B/s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return {entry["approach"]: entry["total_seconds"] for entry in json.loads(done.stdout)}


def add(results, case, state, link, python):
    """Puts "model" beside the median of each way that the model knows."""
    hooks = {entry["hook"] for entry in results.values() if entry["hook"]}
    totals = estimate(case, state, link, rates(case, python, sorted(hooks)))
    for name, entry in results.items():
        approach = ("ship, process while it arrives" if name == "ship"
                    else f"push: {entry['hook']}, 1 thread")  # the rates are those of two threads
        if approach in totals and entry["seconds"]:
            entry["model"] = totals[approach]
