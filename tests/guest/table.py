"""The tables kernel x hook and kernel x file system: what is expected, and how it is written down.

An outcome is "exact", "refused: REASON", "short" (the answer is right, but others computed most of
it), or something else, which is a failure. "hangs" stands in the table only where a person has
written it: a known fault. Expected outcomes stand in expected_kernels.json, "hooks": for each kernel
and hook one outcome, or several where it depends on the statement or on how much of the file is in
the page cache: {"else": OUTCOME, "STATE": OUTCOME, "STATEMENT": OUTCOME, "STATEMENT, STATE":
OUTCOME}; the longest name that fits counts. "file systems" is the same with a file system in the
place of the hook, and a hook in the place of the statement. Below "attach points" stands for each kernel and point
of `grapnel doctor --hooks` what works there: "fentry kprobe", or "no"."""

import collections
import dataclasses
import json
from pathlib import Path

EXPECTED = Path(__file__).resolve().parent / "expected_kernels.json"
ADVICE = ("The table of expected outcomes no longer holds. If the change is meant, write it anew "
          "(./dev test --kernels --accept), read the difference, and commit "
          "tests/guest/expected_kernels.json with the reason.")
LEAST_SHARE = 0.95
# Requests that came out of order leave seams, and a record of 20 KB that lies across one is nobody's.
LEAST_SHARE_OF_BLOCK = 0.9
SHORT = "short: the answer is right, but the hook itself computed less of the file than it should"
HANGS = "hangs: no answer after 180 s"


def acceptable(outcome):
    # A missing compiler is a broken build, nothing that the kernel refuses.
    return outcome in ("exact", SHORT) or (outcome.startswith("refused: ") and
                                           "the compiler" not in outcome)


def load():
    return json.loads(EXPECTED.read_text(encoding="utf-8"))


def expected_outcome(cell, statement, state):
    if isinstance(cell, str):
        return cell
    for name in (f"{statement}, {state}", statement, state, "else"):
        if name in cell:
            return cell[name]
    return None


def collapse(outcomes):
    """{(statement, state): outcome} in the short form of the file."""
    usual = collections.Counter(outcomes.values()).most_common(1)[0][0]
    cell = {"else": usual}
    for axis in (1, 0):  # what holds for a whole state, then for a whole statement
        for name in sorted({key[axis] for key in outcomes}):
            found = {outcome for key, outcome in outcomes.items() if key[axis] == name}
            if len(found) == 1 and found != {usual}:
                cell[name] = found.pop()
    for (statement, state), outcome in sorted(outcomes.items()):
        if expected_outcome(cell, statement, state) != outcome:
            cell[f"{statement}, {state}"] = outcome
    assert all(expected_outcome(cell, *key) == outcome for key, outcome in outcomes.items()), cell
    return usual if len(cell) == 1 else cell


def cells(outcomes):
    """{(kernel, hook, statement, state): outcome} -> {kernel: {hook: cell}}"""
    grouped = collections.defaultdict(lambda: collections.defaultdict(dict))
    for (kernel, hook, statement, state), outcome in outcomes.items():
        grouped[kernel][hook][statement, state] = outcome
    return {kernel: {hook: collapse(found) for hook, found in hooks.items()}
            for kernel, hooks in grouped.items()}


def accept(found, whole):
    """Writes the file. If this was not the whole of it, what was not tried stays."""
    table = {"hooks": {}, "file systems": {}, "attach points": {}} if whole else load()
    for part, outcomes in found.parts().items():
        good = cells({key: outcome for key, outcome in outcomes.items() if acceptable(outcome)})
        for kernel, row in good.items():
            table[part].setdefault(kernel, {}).update(row)
    table["attach points"].update(found.points)
    EXPECTED.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def difference(expected, kernel, row, name, state, outcome):
    """Empty if the outcome is the expected one, else what to say. `expected`: a part of the file;
    `row`: hook or file system, `name`: statement or hook."""
    cell = expected.get(kernel, {}).get(row)
    if cell is None and not acceptable(outcome):
        return outcome
    if cell is None:
        return f"'{outcome}', but the table has no row for {row} on this kernel"
    right = expected_outcome(cell, name, state)
    if right == outcome:
        return ""
    if not acceptable(outcome):
        return outcome
    if outcome == "exact":
        return f"suddenly works; the table says '{right}'"
    return f"'{outcome}'; the table says '{right}'"


def works_at(findings):
    """{point: what works there} of what `grapnel doctor --hooks --format json` says."""
    return {point["name"]: " ".join(name for name, way in point["ways"].items() if way["ok"]) or "no"
            for point in findings}


def points_difference(expected, kernel, found):
    """Empty if attach points answer as the table says, else what to say."""
    right = expected["attach points"].get(kernel, {})
    return "; ".join(f"{name}: '{found.get(name)}', the table says '{right.get(name)}'"
                     for name in sorted({*right, *found}) if right.get(name) != found.get(name))


def vanished(expected, kernels, hooks, systems):
    """Rows of the table that nobody can run any more."""
    for part, names in (("hooks", hooks), ("file systems", systems)):
        for kernel, rows in expected[part].items():
            if kernel not in kernels:
                yield f"kernel {kernel} is in the table, but set-up has fetched none of that name"
            for name in rows:
                if name not in names:
                    yield f"{name} is among the {part} of {kernel}, but nobody knows it any more"


class _Notes:
    def __init__(self):
        self.texts = []

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def _cell_text(cell, notes):
    if isinstance(cell, str):
        cell = {"else": cell}
    parts = []
    for name, outcome in cell.items():
        short = outcome
        if outcome == SHORT:
            short = "short"
        elif outcome != "exact":
            word = "refused" if outcome.startswith("refused: ") else "FAILED"
            short = f"{word} [{notes.number(outcome.removeprefix('refused: '))}]"
        parts.append(short if name == "else" else f"{name}: {short}")
    return "; ".join(parts)


def _table(header, rows):
    return ["| " + " | ".join(header) + " |", "|---" * len(header) + "|",
            *("| " + " | ".join(row) + " |" for row in rows), ""]


@dataclasses.dataclass
class Found:
    """What the kernels have answered."""
    outcomes: dict = dataclasses.field(default_factory=dict)  # (kernel, hook, statement, state)
    systems: dict = dataclasses.field(default_factory=dict)   # (kernel, file system, hook, state)
    releases: dict = dataclasses.field(default_factory=dict)  # {kernel: its own name}
    points: dict = dataclasses.field(default_factory=dict)    # {kernel: {point: what works}}
    verdicts: dict = dataclasses.field(default_factory=dict)  # {kernel: {attempt: what happened}}
    instructions: dict = dataclasses.field(default_factory=dict)  # {(kernel, hook): the most}

    def parts(self):
        """Outcomes by the name of their part of the file."""
        return {"hooks": self.outcomes, "file systems": self.systems}


def _all_names(by_kernel):
    return list(dict.fromkeys(name for row in by_kernel.values() for name in row))


def _outcome_table(corner, outcomes):
    """Rows are what the outcomes have in second place; then the numbered reasons."""
    table, notes = cells(outcomes), _Notes()
    rows = [[name, *(_cell_text(row[name], notes) if name in row else "" for row in table.values())]
            for name in _all_names(table)]
    return [*_table([corner, *table], rows),
            *(f"[{number}] {text}  " for number, text in enumerate(notes.texts, 1)), ""]


def _instruction_table(found, kernels, hooks):
    return _table(["hook", *kernels],
                  [[hook, *(str(found.instructions.get((kernel, hook)) or "") for kernel in kernels)]
                   for hook in hooks])


def _point_table(found, kernels):
    return _table(["point", *kernels],
                  [[name, *(found.points.get(kernel, {}).get(name, "") for kernel in kernels)]
                   for name in _all_names(found.points)])


def _attempt_table(found, kernels):
    notes = _Notes()
    rows = [[name, *(f"[{notes.number(row[name])}]" if name in row else ""
                     for row in (found.verdicts.get(kernel, {}) for kernel in kernels))]
            for name in _all_names(found.verdicts)]
    return [*_table(["attempt", *kernels], rows),
            *(f"[{number}] {text}  " for number, text in enumerate(notes.texts, 1))]


def markdown(found, states, system_states):
    """The report."""
    table = cells(found.outcomes)
    kernels = list(table)
    statements = sorted({key[2] for key in found.outcomes})
    lines = [
        "# Hooks on kernels", "",
        "Made by `./dev test --kernels`: every hook runs each statement "
        f"({', '.join(statements)}) with the file {', '.join(states)} in the page cache, in virtual "
        "machines (QEMU's software emulation, ext4 on virtio-blk) and on the kernel where the test "
        "itself runs. *exact* means that the answer is right and that the hook itself computed at "
        "least 95 % of the file's bytes (`block`: 90 %); *short* that the answer is right and others computed most "
        "of it; what is refused ends with exit code 4 and the reason. "
        "Where a cell names statements or states, the first word holds for all others. The tables "
        "of hooks, file systems and attach points are compared with "
        "`tests/guest/expected_kernels.json`.", "",
        *_outcome_table("hook", found.outcomes), *_table(["kernel", "release"], found.releases.items()),
        "## File systems and devices", "",
        f"Q6 .tbl through every hook, {' and '.join(system_states)}, on file systems that the host "
        "often cannot set up. The first word of a cell holds for all hooks that are not named.", "",
        *_outcome_table("file system", found.systems),
        "## Instructions that the verifier looked at", "",
        "The most of all programs of a hook; empty where none was loaded.", "",
        *_instruction_table(found, kernels, _all_names(table)),
        "## Attach points", "", "What works, of `grapnel doctor --hooks` (see [hooks](../hooks.md)).",
        "", *_point_table(found, kernels),
        "## Attempts", "", "Of `tests/guest/verdicts`, told in [hooks](../hooks.md).", "",
        *_attempt_table(found, kernels)]
    return "\n".join(line.rstrip() for line in lines) + "\n"
