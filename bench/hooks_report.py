"""docs/results/hooks.{md,json,svg} from what hooks.py measured."""

import datetime
import json
from html import escape

import report

TAXED = ["system call", "cached read", "block request"]  # what hooks.py asks for


def _cells(row, size):
    if row["reason"]:
        return f"refused: {row['reason']}"
    left = row["left_in_cache"]
    return " | ".join([
        f"{row['bytes_per_second'] / 1e9:.2f} ({row['least'] / 1e9:.2f} - {row['most'] / 1e9:.2f})",
        f"{row['cpu_seconds']:.2f}", f"{row['share']:.1%}", f"{row['bytes_copied'] / size:.1%}",
        "" if left is None else f"{left / size:.0%}",
        f"{1e3 * row['load_seconds']:.1f}" if row["verified_instructions"] else "",
        f"{1e6 * row['longest_run_seconds']:.0f}" if row["verified_instructions"] else "",
        f"{row['verified_instructions']}" if row["verified_instructions"] else ""])


def _price_of_stability(rows):
    """The most stable place in the kernel against the fastest one, and against user space."""
    rates = {(row["hook"], row["threads"]): row["bytes_per_second"] for row in rows
             if row["state"] == "cached" and not row["reason"]}
    lines = []
    for threads in (1, 2):
        kernel = {hook: rate for (hook, n), rate in rates.items()
                  if n == threads and hook not in ("read", "mmap", "direct")}
        stable, read = kernel.get("syscall"), rates.get(("read", threads))
        if not stable or not read:
            continue
        best = max(kernel, key=kernel.get)
        lines.append(f"- {threads} thread(s): the most stable place in the kernel (`syscall`, a tracepoint "
                     f"that has not changed since 2.6.32) does {stable / 1e9:.2f} GB/s, the most efficient "
                     f"one (`{best}`) {kernel[best] / 1e9:.2f}: stability costs "
                     f"{1 - stable / kernel[best]:.0%}. Plain user space (`read`) does {read / 1e9:.2f}.")
    return lines


def _ratios(rows):
    lines = []
    for threads in (1, 2):
        rates = {row["hook"]: row["bytes_per_second"] for row in rows
                 if row["state"] == "cached" and row["threads"] == threads and not row["reason"]}
        for hook, least in (("pagecache", 0.7), ("sendfile", 0.7), ("syscall", 0.45)):
            if hook in rates and "pipe" in rates:
                ratio = rates[hook] / rates["pipe"]
                lines.append(f"| {hook} / pipe, cached, {threads} thread(s) | {ratio:.2f} | {least} | "
                             f"{'met' if ratio >= least else '**missed**'} |")
    return lines


def markdown(rows, base, taxes, size):
    lines = ["# Hooks side by side", "",
             "Made by `./dev bench hooks --write`: TPC-H Q6 on lineitem .tbl "
             f"({size / 1e6:.0f} MB), the whole process timed, hooks in turns, medians (and the range). "
             "Compare ratios, not absolutes: the machine is shared.", "",
             f"Machine: {report.machine()}. Date: {datetime.date.today()}.", "",
             "![rates](hooks.svg)", ""]
    for state in ("cached", "cold"):
        lines += [f"## {state.capitalize()}", "",
                  "| hook | threads | GB/s | CPU s | computed by it | copied to user space | left in cache "
                  "| load ms | longest run µs | verifier instructions |",
                  "|---|---|---|---|---|---|---|---|---|---|"]
        lines += [f"| {row['hook']} | {row['threads']} | {_cells(row, size)} |"
                  for row in sorted(rows, key=lambda row: row["threads"]) if row["state"] == state]
        lines.append("")
    lines += ["## Aims", "", "| ratio | measured | at least | |", "|---|---|---|---|", *_ratios(rows), "",
              "## The price of stability", "", *_price_of_stability(rows), "",
              "## What others pay", "",
              "As `grapnel doctor --tax` measures it: nanoseconds that work which has nothing to do with a hook "
              "takes longer while its programs are attached (without: " +
              ", ".join(f"{what} {ns:.0f} ns" for what, ns in base.items()) + "). Negative values are noise "
              "and say how much of it there is.", "",
              "| hook at work | " + " | ".join(TAXED) + " |", "|---|" + "---|" * len(TAXED)]
    lines += [f"| {hook} | " +
              " | ".join(f"{values[what]:+.0f}" if what in values else "" for what in TAXED) + " |"
              for hook, values in taxes.items()]
    return "\n".join(lines) + "\n"


def svg(rows):
    bar, left, width, y = 16, 130, 860, 24
    top = max((row["bytes_per_second"] for row in rows if not row["reason"]), default=1)
    colours = {("cached", 1): "#1f6fb2", ("cached", 2): "#5aa0d6", ("cold", 1): "#c2571a",
               ("cold", 2): "#e39a6b"}
    parts = []
    for (state, threads), colour in colours.items():
        parts.append(f'<rect x="{left + 170 * len(parts) // 2}" y="6" width="12" height="12" '
                     f'fill="{colour}"/><text x="{left + 170 * len(parts) // 2 + 16}" y="16">{state}, '
                     f'{threads} thread(s)</text>')
    y = 36
    for hook in dict.fromkeys(row["hook"] for row in rows):
        parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end" font-weight="600">'
                     f'{escape(hook)}</text>')
        for row in (row for row in rows if row["hook"] == hook):
            if row["reason"]:
                parts.append(f'<text x="{left}" y="{y + 12}" fill="#888">{row["state"]}, '
                             f'{row["threads"]}: refused</text>')
            else:
                length = (width - left - 90) * row["bytes_per_second"] / top
                parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 3}" '
                             f'fill="{colours[row["state"], row["threads"]]}"/>'
                             f'<text x="{left + length + 6:.1f}" y="{y + 12}">'
                             f'{row["bytes_per_second"] / 1e9:.2f} GB/s</text>')
            y += bar
        y += 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
            'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            + "".join(parts) + "</svg>\n")


def write(folder, rows, base, taxes, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hooks.json").write_text(json.dumps({"rows": rows, "calls_ns": base, "tax_ns": taxes},
                                                  indent=1) + "\n", encoding="utf-8")
    (folder / "hooks.md").write_text(text, encoding="utf-8")
    (folder / "hooks.svg").write_text(svg(rows), encoding="utf-8")
    print(f"wrote {folder}/hooks.md, .json, .svg")
