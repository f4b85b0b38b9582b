"""docs/results/regret.{md,svg} from what regret.py measured."""

import statistics
from html import escape

import report

AIMS = {"median": 0.03, "95th percentile": 0.15}
COLOURS = {"cached": "#1f6fb2", "partly": "#c2571a", "cold": "#8a8f98"}


def percentile(values, share):
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def kind(case):
    return {0: "cold", 100: "cached"}.get(case["share"], "partly")


def figures(cases):
    excess = [case["excess"] for case in cases]
    return {"median": statistics.median(excess), "95th percentile": percentile(excess, 0.95),
            "largest": max(excess)}


def groups(cases):
    for name in COLOURS:
        members = [case for case in cases if kind(case) == name]
        if members:
            yield name, members


def summary(cases):
    return "\n".join(
        f"{name}: {len(members)} cases, excess regret " +
        ", ".join(f"{what} {100 * value:.1f} %" for what, value in figures(members).items())
        for name, members in groups(cases))


def markdown(results):
    cases = results["cases"]
    load = results["load"]
    lines = ["# Regret of the chooser", "",
             "Made by `./dev bench regret --write`. Each case runs by the chooser (two series) and by every "
             "hook that it may take unasked, named, in turns. *Regret* is how much longer the chooser's median "
             "takes than the best hook's; *spread* is what its two series differ by; *excess* is the regret "
             "beyond the spread. Wall time of the scan, loading of BPF programs included.", "",
             f"On {report.machine()}; {results['rounds']} rounds, {results['seconds'] / 60:.0f} minutes, "
             f"load average {min(load):.1f} to {max(load):.1f} (a machine at rest with this alone has 1 to "
             "2). Read the numbers with that in mind.", "", "![regret](regret.svg)", "",
             "| file | cases | median excess | 95th percentile | largest |", "|---|---|---|---|---|"]
    for name, members in groups(cases):
        cells = " | ".join(f"{100 * value:.1f} %" for value in figures(members).values())
        lines.append(f"| {name} | {len(members)} | {cells} |")
    cached = figures([case for case in cases if case["share"] == 100])
    for what, aim in AIMS.items():
        verdict = "met" if cached[what] <= aim else "not met"
        lines += ["", f"Aim for cached cases: {what} of the excess at most {100 * aim:.0f} %: {verdict} "
                      f"({100 * cached[what]:.1f} %)."]
    lines += ["", "## Cases", "",
              "| op | MiB | cached | threads | chosen | best | chosen ms | best ms | regret | spread | excess |",
              "|---|---|---|---|---|---|---|---|---|---|---|"]
    for case in cases:
        lines.append(
            f"| {case['operation']} | {case['megabytes']} | {case['share']} % | {case['threads']} | "
            f"{case['picked']} | {case['best']} | {1000 * case['chosen_seconds']:.1f} | "
            f"{1000 * case['best_seconds']:.1f} | {100 * case['regret']:.1f} % | "
            f"{100 * case['spread']:.1f} % | {100 * case['excess']:.1f} % |")
    return "\n".join(lines) + "\n"


def svg(cases):
    """Excess regret of all cases in order of size, one curve for each kind of file."""
    width, height, left, top = 860, 400, 70, 50
    bottom, right = height - 60, width - 30
    most = max(0.3, *(case["excess"] for case in cases))
    limit = min(most, 1.0)

    def y(value):
        return bottom - min(value, limit) / limit * (bottom - top)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>',
             f'<text x="{left}" y="24" font-size="15" font-weight="600">Excess regret of the chooser, '
             'by share of cases</text>']
    for step in range(6):
        value = limit * step / 5
        parts.append(f'<line x1="{left}" y1="{y(value):.1f}" x2="{right}" y2="{y(value):.1f}" '
                     'stroke="#e3e7ec"/>'
                     f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#6b7785">'
                     f'{100 * value:.0f} %</text>')
    for percent in range(0, 101, 25):
        x = left + percent / 100 * (right - left)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#6b7785">'
                     f'{percent} %</text>')
    legend = left
    for name, members in groups(cases):
        ordered = sorted(case["excess"] for case in members)
        steps = max(1, len(ordered) - 1)
        points = " ".join(f"{left + i / steps * (right - left):.1f},{y(value):.1f}"
                          for i, value in enumerate(ordered))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" '
                     'stroke-width="2.2"/>')
        label = escape(f"{name} ({len(members)} cases)")
        parts.append(f'<rect x="{legend}" y="32" width="11" height="11" fill="{COLOURS[name]}"/>'
                     f'<text x="{legend + 16}" y="42" fill="#6b7785">{label}</text>')
        legend += 150
    parts.append(f'<text x="{(left + right) / 2:.0f}" y="{bottom + 42}" text-anchor="middle" '
                 'fill="#6b7785">share of cases with at most this excess</text></svg>')
    return "\n".join(parts) + "\n"
