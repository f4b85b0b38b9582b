"""Every hook on other kernels: boots the kernels of build/guests in virtual machines, lets the
program answer statements there through each of its hooks, and compares answers with DuckDB's and
outcomes with the table in expected_kernels.json. Last line: 'N passed, N failed, N skipped'.

Without options a small set of combinations is tried in which every pair of kernel, hook, statement
and cache state occurs. --all tries all of them, and on the running kernel too, and writes
docs/results/kernels.md; --accept writes what it found into the table (with --hook or --guest: only
that part of it)."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
import statements
import table
from pairs import pairwise

cli = machine.cli
STATES = ("cold", "half", "cached")
REPORT = cli.ROOT / "docs/results/kernels.md"
COMPILED = cli.BUILD / "guest-compiled/cache"
# The kernel stops at a million. A program that comes near will be refused by the next kernel.
MOST_INSTRUCTIONS = 750_000
# Attach points that are not the first choice must work where the first one looks absent.
FALLBACKS = (("pagecache", "fexit"), ("pagecache", "fexit,mm_filemap_get_pages"))
HERE = "running"  # the row of the kernel that the test itself runs on


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, wrong):
        """`wrong` is empty if all is well, else what is wrong."""
        self.passed, self.failed = self.passed + (not wrong), self.failed + bool(wrong)
        print(f"{'FAILED' if wrong else 'ok    '} {name}{': ' if wrong else ''}{wrong}", flush=True)


def hooks_of(findings):
    return [finding["topic"].split()[1] for finding in findings
            if finding["topic"].startswith("hook ")]


def outcome_of(said, hook, statement):
    """See table.py. `said` has code, out and err of one query."""
    if said is None:
        return "no answer"
    if said.code == cli.EXIT["hook cannot"]:
        reason = said.err.removeprefix("grapnel: ").split("\n")[0]
        return "refused: " + re.sub(r"(?<=byte )\d+|\d{5,}", "N", reason)[:300]
    if said.code == 137:  # killed by init's timeout
        return table.HANGS
    if said.code != 0:
        return f"exit code {said.code}: {said.err[-800:]}"
    if wrong := statement.wrong(said.out):
        return f"wrong answer: {wrong}"
    stats = cli.find_stats(said.err)
    done = stats.get("hooks", {}).get(hook, {}).get("bytes", 0)
    if done < 0.95 * stats.get("file_bytes", 1):
        return table.SHORT
    return "exact"


def compile_objects(folder, work, hooks):
    """Runs each statement here through the hooks that this kernel permits, so that little is left
    to compile in the guests, where it takes seconds. The guests' CPUs have no vector instructions.
    """
    if COMPILED.exists():
        shutil.copytree(COMPILED, folder / "cache", dirs_exist_ok=True)
    (folder / "cache").mkdir(mode=0o700, exist_ok=True)
    for hook in hooks:
        for statement in work:
            cli.query(statement.sql, hook=hook, threads=1, cwd=folder,
                      env={"XDG_CACHE_HOME": str(folder / "cache"), "GRAPNEL_NATIVE": "plain"})


def keep_compiled(disk):
    shutil.rmtree(COMPILED, ignore_errors=True)
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    machine.keep_compiled(disk, COMPILED.parent)


def boot(guest, chosen, shared, temporary, found, count):
    """Boots it, runs what is chosen, and adds what came of it to `found`."""
    root = temporary / "root"
    root.mkdir()
    lines = [f"{number}\t{state}\t{hook}\tnone\t{one.file}\t{one.sql}\n"
             for number, (hook, one, state) in enumerate(chosen)]
    fallbacks = [(hook, absent, one, state) for hook, absent in FALLBACKS
                 for hook_chosen, one, state in chosen if hook_chosen == hook]
    lines += [f"fallback{number}\t{state}\t{hook}\t{absent}\t{one.file}\t{one.sql}\n"
              for number, (hook, absent, one, state) in enumerate(fallbacks)]
    (root / "statements").write_text("".join(lines), encoding="utf-8")
    machine.add_modules(guest.folder, root)
    machine.pack(root, temporary / "own.gz")
    image = temporary / "image.gz"
    image.write_bytes(shared["root"].read_bytes() + (temporary / "own.gz").read_bytes())
    log = cli.BUILD / "logs" / f"guest-{guest.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    said = machine.boot(guest, image, shared["disk"], log)
    count.check(f"{guest.name}: boots", "" if "release" in said else f"see {log}")
    if "release" not in said:
        return
    check_guest(guest, said, count, log)
    found.releases[guest.name] = said["release"].out.strip()
    for number, (hook, one, state) in enumerate(chosen):
        add_outcome(found, guest.name, hook, one, state, said.get(str(number)))
    for number, (hook, absent, one, state) in enumerate(fallbacks):
        first = found.outcomes[guest.name, hook, one.name, state]
        outcome = outcome_of(said.get(f"fallback{number}"), hook, one)
        count.check(f"{guest.name} {hook} {one.name} {state}, without {absent}",
                    "" if outcome == first else f"{outcome}, with it {first}")
    if "attach-points" in said:
        found.points[guest.name] = table.works_at(json.loads(said["attach-points"].out))
    if "verdicts" in said:
        found.verdicts[guest.name] = verdicts_of(said["verdicts"].out)


def verdicts_of(text):
    return dict(line.split("\t", 1) for line in text.splitlines())


def add_outcome(found, kernel, hook, statement, state, said):
    found.outcomes[kernel, hook, statement.name, state] = outcome_of(said, hook, statement)
    stats = cli.find_stats(said.err) if said else {}
    looked_at = stats.get("hooks", {}).get(hook, {}).get("verified_instructions", 0)
    key = kernel, hook
    found.instructions[key] = max(looked_at, found.instructions.get(key, 0))


def check_guest(guest, said, count, log):
    modules = said.get("modules", machine.Said(1, "", f"no answer, see {log}"))
    missing = {"ext4", "xfs", "btrfs", "overlay", "fuse"} - set(modules.out.split())
    count.check(f"{guest.name}: modules of file systems load",
                modules.out + modules.err if modules.code or missing else "")
    complaints = said.get("kernel-log", machine.Said(1, "the guest did not come to its end", ""))
    count.check(f"{guest.name}: nothing in the kernel's log", complaints.out.strip())
    if "preempt=full" in guest.append:
        mode = said.get("preemption", machine.Said(1, "no answer", "")).out
        count.check(f"{guest.name}: is fully preemptible", "" if "(full)" in mode else mode or "?")


def prepare(path, state):
    """Brings our own file to that state in this machine's page cache."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if state != "cold":
            file.read(path.stat().st_size // (2 if state == "half" else 1))


def run_here(folder, chosen, found):
    """The running kernel: nothing is expected of it but that no answer is wrong."""
    for hook, one, state in chosen:
        prepare(folder / one.file, state)
        said = cli.query(one.sql, hook=hook, threads=1, cwd=folder,
                         env={"XDG_CACHE_HOME": str(folder / "cache")})
        add_outcome(found, HERE, hook, one, state, said)
    found.releases[HERE] = os.uname().release
    points = cli.run("doctor", "--hooks", "--format", "json").expect().out
    found.points[HERE] = table.works_at(json.loads(points))
    done = subprocess.run([machine.VERDICTS, folder / chosen[0][1].file], capture_output=True,
                          text=True, check=True)
    found.verdicts[HERE] = verdicts_of(done.stdout)


def choose(guests, hooks, work, everything):
    """{name of a guest: [(hook, statement, state)]}"""
    names = [guest.name for guest in guests]
    if everything:
        each = [(hook, one, state) for state in STATES for hook in hooks for one in work]
        return {name: each for name in names}
    by_name = {one.name: one for one in work}
    chosen = {name: [] for name in names}
    for name, hook, statement, state in pairwise(names, hooks, list(by_name), STATES):
        chosen[name].append((hook, by_name[statement], state))
    return chosen


def check_kernel(expected, name, found, count):
    """What one kernel has answered against the table; True if the table has to change."""
    differs = False
    for key, outcome in found.outcomes.items():
        if key[0] != name:
            continue
        wrong = "" if table.acceptable(outcome) else outcome
        if expected is not None:
            wrong = table.difference(expected, *key, outcome)
            differs = differs or bool(wrong)
        count.check(" ".join(key), wrong)
    for (kernel, hook), looked_at in found.instructions.items():
        if kernel == name and looked_at > MOST_INSTRUCTIONS:
            count.check(f"{name} {hook}: the verifier looks at few enough instructions",
                        f"{looked_at}, more than {MOST_INSTRUCTIONS}")
    if expected is not None and name in found.points:
        wrong = table.points_difference(expected, name, found.points[name])
        count.check(f"{name}: attach points", wrong)
        differs = differs or bool(wrong)
    return differs


def run(options, guests, whole, temporary, count):
    data = temporary / "data"
    data.mkdir()
    work = [one for one in statements.write_all(data) if not options.statement
            or one.name in options.statement]
    findings = json.loads(cli.run("doctor", "--format", "json").expect().out)
    hooks = [hook for hook in hooks_of(findings) if not options.hook or hook in options.hook]
    permitted = [hook for hook in hooks_of(f for f in findings if f["ok"]) if hook in hooks]
    compile_objects(data, work, permitted)
    shared = {"root": temporary / "root.gz", "disk": temporary / "disk.img"}
    machine.make_root(temporary / "shared")
    machine.pack(temporary / "shared", shared["root"])
    machine.make_disk(data, shared["disk"])

    expected = None if options.accept else table.load()
    chosen = choose(guests, hooks, work, options.all)
    found, differs = table.Found(), False
    for guest in guests:
        with tempfile.TemporaryDirectory(dir=temporary) as own:
            boot(guest, chosen[guest.name], shared, Path(own), found, count)
        differs = check_kernel(expected, guest.name, found, count) or differs
    keep_compiled(shared["disk"])
    if options.accept:
        table.accept(found.outcomes, found.points, whole)
    if whole:
        for text in table.vanished(table.load(), chosen, hooks):
            count.check("the table", text)
            differs = True
        run_here(data, chosen[guests[0].name], found)
        check_kernel(None, HERE, found, count)
        REPORT.write_text(table.markdown(found, STATES), encoding="utf-8")
    if differs:
        print(table.ADVICE)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every combination; write the report")
    parser.add_argument("--accept", action="store_true", help="like --all; rewrite the table")
    parser.add_argument("--guest", action="append", help="only this one")
    parser.add_argument("--hook", action="append", help="only this one")
    parser.add_argument("--statement", action="append", help="only this one")
    options = parser.parse_args()
    only_some = options.guest or options.hook or options.statement
    if options.accept and options.statement:
        parser.error("the table is written from runs of all statements")
    options.all = options.all or options.accept
    count = Count()
    guests = [guest for guest in machine.guests()
              if not options.guest or guest.name in options.guest]
    if os.geteuid() != 0:
        count.check("rights", "the kernel hooks' objects can only be compiled and tried as root")
    elif not guests:
        count.check("guests", "no kernel in build/guests: ./dev setup fetches them")
    else:
        with tempfile.TemporaryDirectory(dir=cli.BUILD) as temporary:
            run(options, guests, options.all and not only_some, Path(temporary), count)
    print(f"{count.passed} passed, {count.failed} failed, 0 skipped")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
