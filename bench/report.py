"""docs/results/speed.{md,json,svg} from what run.py measured."""

import datetime
import json
import os
import platform
import re
from html import escape

COLOURS = {"duckdb": "#8a8f98", "pipe": "#c2571a", "read": "#1f6fb2", "mmap": "#5aa0d6",
           "direct": "#2e8b57", "bare_io_uring": "#8a8f98", "copy_sum": "#8a8f98"}


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
             "shows medians (and the range). grapnel is timed as a whole process, from start to exit; "
             "DuckDB only while the query runs, with types given, so that it sniffs nothing. Compare "
             "ratios, not absolutes: the machine is shared.", "",
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
    return "\n".join(lines) + "\n"


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


def write(folder, results, help_ms):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / "speed.md").write_text(markdown(results, help_ms), encoding="utf-8")
    (folder / "speed.svg").write_text(svg(results), encoding="utf-8")
    print(f"wrote {folder}/speed.md, .json, .svg")
