"""docs/results/scenario.{md,json,svg} from what run.py measured, and the aims that it is held against."""

import datetime
import json
import math
import os
import platform
import statistics
from html import escape

import network

COLOURS = {"ship": "#8a8f98", "tool": "#c9a227", "hook": "#1f6fb2", "choice": "#2e8b57"}


def kind_of(name):
    if name in ("ship", "grapnel ship"):
        return "ship"
    if name == "grapnel choice":
        return "choice"
    return "hook" if name.startswith("grapnel") else "tool"


def done(case):
    return {name: entry["median"] for name, entry in case["ways"].items() if "median" in entry}


def judge(outcome):
    """[(sentence, met)]"""
    verdicts = []

    def aim(text, value, most):
        verdicts.append((f"{text}: {value:.2f}", value >= most))

    for case in outcome["cases"]:
        times = done(case)
        if "ship" not in times or "grapnel choice" not in times:
            continue
        label = f"{case['case']}, {case['state']}"
        own = min(value for name, value in times.items()
                  if name.startswith("grapnel") and name != "grapnel ship")
        tools = [value for name, value in times.items() if kind_of(name) == "tool"]
        if case["kind"] == "filter":
            best = min(value for name, value in times.items() if name != "grapnel choice")
            aim(f"{label}: better of ship and push / choice (at least 0.9)",
                best / times["grapnel choice"], 0.9)
        elif case["state"] == "cached" and case["kind"] in ("fixed", "lines"):
            aim(f"{label}: ship / best grapnel (at least 10)", times["ship"] / own, 10)
            if case["kind"] == "lines":
                aim(f"{label}: best tool / best grapnel (at least 1)", min(tools) / own, 1)
        elif case["state"] == "cached":
            aim(f"{label}: best tool at the server / best grapnel (at least 3)", min(tools) / own, 3)
            aim(f"{label}: ship / best grapnel (at least 4)", times["ship"] / own, 4)
        else:
            device = case["bytes"] / outcome["device_bytes_per_second"]
            if case["kind"] in ("fixed", "lines"):
                device += outcome["link"]["rtt_seconds"] + 0.010
                label += ": time of the device, a round trip and 10 ms / choice"
            else:
                label += ": time of the device / choice"
            aim(f"{label} (at least 0.95)", device / times["grapnel choice"], 0.95)
    errors = model_errors(outcome)
    if errors:
        error = 100 * statistics.median(errors)
        verdicts.append((f"median error of the model (under 15 %): {error:.1f} %", error < 15))
    return verdicts


def model_errors(outcome):
    return [abs(entry["model"] - entry["median"]) / entry["median"]
            for case in outcome["cases"] for entry in case["ways"].values() if "model" in entry]


def markdown(outcome, verdicts):
    link = outcome["link"]
    lines = [
        "# The scenario: a question about data behind a link", "",
        f"Made by `./dev bench scenario {outcome['options']}`. "
        "A server and a client in two network namespaces of one machine; a link between them whose "
        f"rate is a token bucket of 1 GB/s and whose delay is 5 ms each way. Empty it gave "
        f"{link['bytes_per_second'] / 1e9:.2f} GB/s and {1e3 * link['rtt_seconds']:.2f} ms. The ways take turns, "
        "round after round; the table shows medians (and the range). Every answer was checked.", "",
        f"Machine: {os.cpu_count()} CPUs, Linux {platform.release()}, virtual machine, shared host; date "
        f"{datetime.date.today()}. The server's processes may use CPUs {network.SERVER_CPUS}, the client's CPU "
        f"{network.CLIENT_CPUS}, the program that delays packets CPU {network.LINK_CPUS} before all "
        f"others. Both ends share these CPUs: two machines would be faster at shipping as well as at "
        f"pushing. CPU seconds in all: link {outcome['relay_cpu_seconds']:.1f}, grapnel's server "
        f"{outcome['server_cpu_seconds']:.1f}.", "",
        "*ship*: nginx with sendfile, curl, and the best local tool reading while it arrives (numpy, ripgrep, "
        "DuckDB). A tool's name alone: run at the server, two threads, its start not counted, plus one round trip. "
        "*grapnel X*: the whole client process, the named hook at the server (*ship*: the server sends the file, the "
        "client's grapnel computes); *choice*: no hook named, so the server decides between its hooks and *ship*, "
        "knowing the link from `grapnel calibrate --on`. "
        "*model*: `grapnel estimate` with this link, the device's rate and the rates of each place measured "
        "without the link. DuckDB over HTTP is not there: its extension is no part of its package.", "",
        *[f"![times]({name})" for name in plots(outcome)], ""]
    for case in outcome["cases"]:
        lines += [f"## {case['case']}, {case['state']} ({case['bytes'] / 1e9:.2f} GB)", "",
                  "| way | seconds | range | model |", "|---|---|---|---|"]
        for name, entry in sorted(case["ways"].items(),
                                  key=lambda item: item[1].get("median", float("inf"))):
            shown = f"{name} (took {entry['hook']})" if name == "grapnel choice" else name
            if "median" not in entry:
                lines.append(f"| {shown} | - | {entry['reason']} | |")
                continue
            model = f"{entry['model']:.3f}" if "model" in entry else ""
            lines.append(f"| {shown} | {entry['median']:.3f} | {min(entry['seconds']):.3f} - "
                         f"{max(entry['seconds']):.3f} | {model} |")
        lines.append("")
    lines += ["## Aims", "", "| aim | |", "|---|---|"]
    lines += [f"| {text} | {'met' if met else '**missed**'} |" for text, met in verdicts]
    lines += ["", "What the link said of itself at its end:", "", "```", outcome["link_said"], "```"]
    return "\n".join(lines) + "\n"


def bars(cases):
    """Of each case all ways, the fastest first."""
    bar, left, width = 15, 250, 900
    parts, y = [], 24
    for case in cases:
        times = sorted(done(case).items(), key=lambda item: item[1])
        longest = max(value for _, value in times)
        parts.append(f'<text x="8" y="{y}" font-weight="600">{escape(case["case"])}, {case["state"]}</text>')
        y += 6
        for name, value in times:
            length = max(1.0, (width - left - 110) * value / longest)
            parts.append(
                f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 3}" fill="{COLOURS[kind_of(name)]}"/>'
                f'<text x="{left + length + 6:.1f}" y="{y + 11}">{value:.3f} s</text>')
            model = case["ways"][name].get("model")
            if model:
                x = left + (width - left - 110) * min(model / longest, 1.1)
                parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 1}" y2="{y + bar - 2}" stroke="black" '
                             'stroke-width="1.5"/>')
            y += bar
        y += 26
    parts.append(f'<text x="8" y="{y}">Shorter is better. Black line: what the model says. Each operation has its own '
                 'scale.</text>')
    y += 14
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" font-family="sans-serif" '
            'font-size="12"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n")


LINES = {"ship": "#8a8f98", "grapnel ship": "#c9a227", "grapnel read": "#1f6fb2",
         "grapnel choice": "#2e8b57"}


def lines_by_share(cases):
    """Seconds by the share of rows that the filter lets through, both logarithmic."""
    left, top, width, height = 60, 16, 560, 300
    times = [done(case) for case in cases]
    shares = [case["share"] for case in cases]
    highest = max(max(entry.values()) for entry in times)
    lowest = min(min(entry.values()) for entry in times)

    def x_of(share):
        return left + width * math.log(share / shares[0]) / math.log(shares[-1] / shares[0])

    def y_of(seconds):
        return top + height * math.log(highest / seconds) / math.log(highest / lowest)

    parts = [f'<text x="{x_of(share):.0f}" y="{top + height + 18}" text-anchor="middle">{share:g} %</text>'
             for share in shares]
    ticks = [value for power in range(-3, 4) for value in (10 ** power, 3 * 10 ** power)
             if lowest <= value <= highest]
    for tick in ticks:
        parts.append(f'<text x="{left - 8}" y="{y_of(tick) + 4:.0f}" text-anchor="end">{tick:g} s</text>'
                     f'<line x1="{left}" x2="{left + width}" y1="{y_of(tick):.1f}" y2="{y_of(tick):.1f}" '
                     'stroke="#dddddd"/>')
    for row, (name, colour) in enumerate(LINES.items()):
        points = " ".join(f"{x_of(share):.1f},{y_of(entry[name]):.1f}"
                          for share, entry in zip(shares, times) if name in entry)
        dash = ' stroke-dasharray="6 4"' if name == "grapnel choice" else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>'
                     f'<rect x="{left + width + 20}" y="{top + 22 * row}" width="14" height="14" fill="{colour}"/>'
                     f'<text x="{left + width + 42}" y="{top + 12 + 22 * row}">{escape(name)}</text>')
    parts.append(f'<text x="{left}" y="{top + height + 40}">Share of the rows that the filter lets through. '
                 'Lower is better; both scales are logarithmic.</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="{top + height + 56}" '
            'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            + "".join(parts) + "</svg>\n")


def plots(outcome):
    """{name of a file: its text}; of what was measured."""
    made = {}
    for state, name in (("cached", "scenario.svg"), ("cold", "scenario-cold.svg")):
        cases = [case for case in outcome["cases"] if case["state"] == state and case["kind"] != "filter"]
        if cases:
            made[name] = bars(cases)
    filters = [case for case in outcome["cases"] if case["kind"] == "filter" and done(case)]
    if len(filters) > 1:
        made["scenario-filter.svg"] = lines_by_share(filters)
    return made


def write(folder, outcome, verdicts):
    for name, text in plots(outcome).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "scenario.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    (folder / "scenario.md").write_text(markdown(outcome, verdicts), encoding="utf-8")
    print(f"wrote {folder}/scenario.md, .json, and {', '.join(plots(outcome))}")
