"""docs/results/speed.{md,json,svg} from what run.py measured."""

import datetime
import json
import os
import platform
import re
from html import escape

COLOURS = {"duckdb": "#8a8f98", "pipe": "#c2571a", "read": "#1f6fb2", "mmap": "#5aa0d6",
           "direct": "#2e8b57", "bare_io_uring": "#8a8f98", "copy_sum": "#8a8f98"}

PROFILE = """## Where the time goes in Q1 in the kernel

A record costs about 1050 BPF instructions, read off the compiled code: about 715 in the op (fields 160, four decimals 240,
date and filter 70, keys and group lookup 110, products and sums 105, the rest bounds and the loop) and 330 for
finding record ends. By CPU samples 48 % is the op, 20 % finding record ends, 11 % copying pages into the
program's memory. Nothing is approximate: a product of two factors below 10^9 is proven to fit by two
comparisons, any other is checked in full, and what does not fit is left to the exact form; that is 30 to 35 of
the 715. Loads of the next page ahead of time (`bpf_rdonly_cast`, 6.17) were tried and did not pay.

## What exactness costs in the kernel

A variant of `pipe` was built that checks neither digits nor dates nor the bounds of products: on wrong data it would
give wrong sums in silence. In turns with the real one, nine rounds, CPU seconds of the hook at scale 1: Q6 0.394 in
place of 0.422, Q1 0.567 in place of 0.591. So exactness costs 7 % and 4 %: less than what Q1 lacks where it misses its
gate at scale 1. Loading the program takes another 4 % there, 30 ms of 0.8 s.""".splitlines()


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), "unknown")
    flags = open("/proc/cpuinfo", encoding="utf-8").read()
    vector = "AVX-512" if " avx512bw" in flags else "AVX2" if " avx2" in flags else "no AVX2"
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo", encoding="utf-8").read())[1])
    return (f"{os.cpu_count()} CPUs ({cpu}, {vector}), {memory / 2**20:.0f} GiB memory, "
            f"Linux {platform.release()}, virtual machine, shared host")


def markdown(results, help_ms):
    lines = ["# Speed", "",
             "Made by `./dev bench --write`. Engines of a case take turns, round after round; the table "
             "shows medians (and the range). grapnel, the bare reader and the copying sum are timed as whole "
             "processes, from start to exit; "
             "DuckDB only while the query runs, with types given, so that it sniffs nothing. Compare "
             "ratios, not absolutes: the machine is shared. What is at the start of a process (loading a BPF "
             "program: 20 to 40 ms) weighs at scale 1, hardly at scale 10.", "",
             f"Machine: {machine()}. Date: {datetime.date.today()}.", "",
             "![rates](speed.svg)", "",
             "| case | engine | GB/s | range |", "|---|---|---|---|"]
    for result in results:
        for engine, rate in result["medians"].items():
            values = result["rates"][engine]
            lines.append(f"| {result['case']} | {engine} | {rate / 1e9:.2f} | "
                         f"{min(values) / 1e9:.2f} - {max(values) / 1e9:.2f} |")
    lines += ["", "| gate | ratio | at least | |", "|---|---|---|---|"]
    for result in results:
        for gate in result["gates"]:
            lines.append(f"| {result['case']}: {gate['engine']} / {gate['against']} | "
                         f"{gate['ratio']:.2f} | {gate['least']} | "
                         f"{'met' if gate['met'] else '**missed**'} |")
    lines.append(f"| `grapnel --help` beyond /bin/true | {help_ms:.1f} ms | at most 10 ms | "
                 f"{'met' if help_ms <= 10 else '**missed**'} |")
    return "\n".join(lines + ["", *PROFILE]) + "\n"


def svg(results):
    bar, gap, left, width = 16, 14, 330, 900
    top = max(rate for r in results for rate in r["medians"].values()) or 1
    parts, y = [], 20
    for result in results:
        parts.append(f'<text x="8" y="{y + 12}" font-weight="600">{escape(result["case"])}</text>')
        y += bar + 4
        for engine, rate in result["medians"].items():
            length = (width - left - 90) * rate / top
            parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{engine}</text>'
                         f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 3}" '
                         f'fill="{COLOURS.get(engine, "#666")}"/>'
                         f'<text x="{left + length + 6:.1f}" y="{y + 12}">{rate / 1e9:.2f} GB/s</text>')
            y += bar
        y += gap
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
            'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            + "".join(parts) + "</svg>\n")


def with_earlier(folder, results):
    """Cases that this run left out stay as an earlier one measured them."""
    try:
        earlier = json.loads((folder / "speed.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        earlier = []
    new = {result["case"]: result for result in results}
    kept = [new.pop(result["case"], result) for result in earlier]
    return kept + list(new.values())


def write(folder, results, help_ms):
    folder.mkdir(parents=True, exist_ok=True)
    results = with_earlier(folder, results)
    (folder / "speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / "speed.md").write_text(markdown(results, help_ms), encoding="utf-8")
    (folder / "speed.svg").write_text(svg(results), encoding="utf-8")
    print(f"wrote {folder}/speed.md, .json, .svg")
