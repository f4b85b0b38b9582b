"""Every hook on other kernels: boots the kernels of build/guests in virtual machines, lets the
program answer statements there through each of its hooks, and compares answers with DuckDB's and
outcomes with the table in expected_kernels.json; one of the statements on other file systems and
devices, too. Last line: 'N passed, N failed, N skipped'.

Without options a small set of combinations is tried in which every pair of kernel, hook, statement
(or file system) and cache state occurs. --all tries all of them, and on the running kernel too, and writes
docs/results/kernels.md; --accept writes what it found into the table (with --hook or --guest: only
that part of it)."""

import argparse
import concurrent.futures
import dataclasses
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
import systems
import table
from pairs import pairwise

cli = machine.cli
STATES = ("cold", "half", "cached")
REPORT = cli.ROOT / "docs/results/kernels.md"
COMPILED = cli.BUILD / "guest-compiled/cache"
# The kernel stops at a million. A program that comes near will be refused by the next kernel.
MOST_INSTRUCTIONS = 750_000
# What is not the first choice must work where the first one looks absent: hook, what looks absent, what
# EXPLAIN says then (one of these).
FALLBACKS = (
    ("pagecache", "fexit", ("raw_tp/mm_filemap_get_pages", "kprobe/filemap_get_pages")),
    ("pagecache", "fexit,mm_filemap_get_pages", ("kprobe/filemap_get_pages",)),
    ("block", "raw_tp", ("tp_btf/block_rq_complete",)),
    ("block", "raw_tp,tp_btf", ("fentry/blk_update_request",)),
    ("block", "raw_tp,tp_btf,fentry", ("kprobe/blk_update_request",)),
    ("syscall", "raw_tp", ("tp_btf/sys_exit",)),
    ("syscall", "pread64", ("of preadv2",)),
    ("syscall", "pread64,preadv2", ("of read",)),
    ("syscall", "pread64,preadv2,read", ("of readv",)))
FALLBACK_STATEMENTS = ("Q6 .tbl", "fixed")
SYSTEMS_STATEMENT = "Q6 .tbl"
READ_BY_OTHERS = "lineitem.tbl"  # while they are watched and traced
GUESTS_AT_ONCE = 2
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
    least = table.LEAST_SHARE_OF_BLOCK if hook == "block" else table.LEAST_SHARE
    if done < least * stats.get("file_bytes", 1):
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


def keep_compiled(disks):
    shutil.rmtree(COMPILED, ignore_errors=True)
    COMPILED.mkdir(parents=True)
    for disk in disks:
        with tempfile.TemporaryDirectory(dir=COMPILED.parent) as folder:
            machine.keep_compiled(disk, folder)
            if (Path(folder) / "cache").exists():  # else the guest did not come so far
                shutil.copytree(Path(folder) / "cache", COMPILED, dirs_exist_ok=True)


@dataclasses.dataclass
class Query:
    """One line of what a guest is asked."""
    section: str  # its name in what the guest says
    hook: str
    statement: statements.Statement
    state: str
    absent: str = "none"
    places: tuple = ()  # EXPLAIN must name one of them
    explains: bool = False

    def line(self):
        sql = ("EXPLAIN " if self.explains else "") + self.statement.sql
        return "\t".join((self.section, self.state, self.hook, self.absent, self.statement.file,
                          sql)) + "\n"


def queries_of(chosen, on_systems):
    """All that a guest is asked: what is chosen, on other file systems, and without first choices."""
    queries = [Query(f"chosen{number}", hook, one, state)
               for number, (hook, one, state) in enumerate(chosen)]
    queries += [Query(f"system{number}", hook, one, state)
                for number, (hook, one, state) in enumerate(on_systems)]
    for number, (hook, absent, places) in enumerate(FALLBACKS):
        asked = [(one, state) for hook_chosen, one, state in chosen
                 if hook_chosen == hook and one.name in FALLBACK_STATEMENTS]
        queries += [Query(f"fallback{number}-{at}", hook, one, state, absent)
                    for at, (one, state) in enumerate(asked)]
        queries += [Query(f"place{number}", hook, one, state, absent, places, True)
                    for one, state in asked[:1]]
    return queries


def boot(guest, queries, shared, temporary):
    """What the guest says: {section: Said}."""
    with tempfile.TemporaryDirectory(dir=temporary) as own:
        root = Path(own) / "root"
        root.mkdir()
        (root / "statements").write_text("".join(query.line() for query in queries),
                                         encoding="utf-8")
        (root / "read_by_others").write_text(READ_BY_OTHERS, encoding="ascii")
        machine.add_modules(guest.folder, root)
        machine.pack(root, Path(own) / "own.gz")
        image = Path(own) / "image.gz"
        image.write_bytes(shared["root"].read_bytes() + (Path(own) / "own.gz").read_bytes())
        disk = temporary / f"disk-{guest.name}.img"
        subprocess.run(["cp", "--sparse=always", shared["disk"], disk], check=True)
        return machine.boot(guest, image, (disk, shared["systems"]), log_of(guest))


def log_of(guest):
    log = cli.BUILD / "logs" / f"guest-{guest.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    return log


def judge(guest, queries, said, found, count):
    """Adds what came of it to `found`."""
    count.check(f"{guest.name}: boots", "" if "release" in said else f"see {log_of(guest)}")
    if "release" not in said:
        return
    check_guest(guest, said, count, log_of(guest))
    found.releases[guest.name] = said["release"].out.strip()
    for query in queries:
        judge_query(guest.name, query, said.get(query.section), found, count)
    if "attach-points" in said:
        found.points[guest.name] = table.works_at(json.loads(said["attach-points"].out))
    if "verdicts" in said:
        found.verdicts[guest.name] = verdicts_of(said["verdicts"].out)


def judge_query(kernel, query, said, found, count):
    one, hook, state = query.statement, query.hook, query.state
    name = f"{kernel} {hook} {one.name} {state}, without {query.absent}"
    if query.explains:
        text = said.out + said.err if said else "no answer"
        count.check(f"{name}: place", "" if any(place in text for place in query.places) else text)
    elif query.absent != "none":
        first, outcome = found.outcomes[kernel, hook, one.name, state], outcome_of(said, hook, one)
        count.check(name, "" if outcome == first else f"{outcome}, with it {first}")
    elif query.section.startswith("system"):
        found.systems[kernel, one.name, hook, state] = outcome_of(said, hook, one)
    else:
        add_outcome(found, kernel, hook, one, state, said)


def verdicts_of(text):
    return dict(line.split("\t", 1) for line in text.splitlines())


def add_outcome(found, kernel, hook, statement, state, said):
    found.outcomes[kernel, hook, statement.name, state] = outcome_of(said, hook, statement)
    stats = cli.find_stats(said.err) if said else {}
    looked_at = stats.get("hooks", {}).get(hook, {}).get("verified_instructions", 0)
    key = kernel, hook
    found.instructions[key] = max(looked_at, found.instructions.get(key, 0))


def wrong_watch(said, lines):
    """What is wrong with a watch of a file that others read until all of it was covered."""
    if said is None or said.code != 0:
        return said.err[-800:] if said else "no answer"
    final = json.loads(said.out.splitlines()[-1])
    readers = {reader["comm"] for reader in final["readers"]}
    expected = {"complete": True, "rows": [[str(lines)]]}
    wrong = {key: final[key] for key, value in expected.items() if final[key] != value}
    return str(wrong or "cat" not in readers and final["readers"] or "")


def wrong_trace(said, path, size):
    """What is wrong with a trace beside readers of a file."""
    if said is None or said.code != 0:
        return f"exit code {said.code}: {said.out[-400:]}{said.err[-800:]}" if said else "no answer"
    lines = [json.loads(line) for line in said.out.splitlines()]
    rows = [line for line in lines if line["type"] == "total_row" and line["path"] == path
            and line["command"] == "cat"]
    # The cat of busybox sends files.
    whole = any(row["read_bytes"] + row["sent_bytes"] == size for row in rows)
    return "" if whole else f"no reader of {size} bytes among {rows[:5]}"


def check_watching(guest, said, data, count):
    """The programs of a watch and of a trace load there, and see what others read."""
    content = (data / READ_BY_OTHERS).read_bytes()
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    count.check(f"{guest.name}: a watch covers what others read",
                wrong_watch(said.get("watch"), lines))
    count.check(f"{guest.name}: a trace shows who reads",
                wrong_trace(said.get("trace"), f"/disk/{READ_BY_OTHERS}", len(content)))


def check_guest(guest, said, count, log):
    modules = said.get("modules", machine.Said(1, "", f"no answer, see {log}"))
    missing = {"ext4", "xfs", "btrfs", "overlay", "fuse"} - set(modules.out.split())
    count.check(f"{guest.name}: modules of file systems load",
                modules.out + modules.err if modules.code or missing else "")
    mounted = said.get("systems", machine.Said(1, "", "no answer"))
    count.check(f"{guest.name}: other file systems are mounted", mounted.err if mounted.code else "")
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


def choose(guests, hooks, work, states, everything):
    """{name of a guest: [(hook, statement, state)]}"""
    names = [guest.name for guest in guests]
    if everything:
        each = [(hook, one, state) for state in states for hook in hooks for one in work]
        return {name: each for name in names}
    by_name = {one.name: one for one in work}
    chosen = {name: [] for name in names}
    for name, hook, statement, state in pairwise(names, hooks, list(by_name), states):
        chosen[name].append((hook, by_name[statement], state))
    return chosen


def check_kernel(expected, name, found, count):
    """What one kernel has answered against the table; True if the table has to change."""
    differs = False
    for part, outcomes in found.parts().items():
        for key, outcome in outcomes.items():
            if key[0] != name:
                continue
            wrong = "" if table.acceptable(outcome) else outcome
            if expected is not None:
                wrong = table.difference(expected.get(part, {}), *key, outcome)
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
    shared = {"root": temporary / "root.gz", "disk": temporary / "disk.img",
              "systems": temporary / "systems.img"}
    machine.make_root(temporary / "shared")
    machine.pack(temporary / "shared", shared["root"])
    machine.make_disk(data, shared["disk"])
    (temporary / "systems").mkdir()
    systems.make_disk(data / "lineitem.tbl", temporary / "systems", shared["systems"])

    expected = None if options.accept else table.load()
    chosen = choose(guests, hooks, work, STATES, options.all)
    kernels = [guest for guest in guests if not guest.append]  # once for each is enough
    on_systems = choose(kernels, hooks, [
        each for one in work if one.name == SYSTEMS_STATEMENT for each in systems.statements(one)],
        systems.STATES, options.all)
    asked = {guest.name: queries_of(chosen[guest.name], on_systems.get(guest.name, []))
             for guest in guests}
    found, differs = table.Found(), False
    with concurrent.futures.ThreadPoolExecutor(GUESTS_AT_ONCE) as pool:
        answers = [pool.submit(boot, guest, asked[guest.name], shared, temporary)
                   for guest in guests]
        for guest, said in zip(guests, answers):
            judge(guest, asked[guest.name], said.result(), found, count)
            check_watching(guest, said.result(), data, count)
            differs = check_kernel(expected, guest.name, found, count) or differs
    keep_compiled([temporary / f"disk-{guest.name}.img" for guest in guests])
    if options.accept:
        table.accept(found, whole)
    if whole:
        for text in table.vanished(table.load(), chosen, hooks, systems.FILES):
            count.check("the table", text)
            differs = True
        run_here(data, chosen[guests[0].name], found)
        check_kernel(None, HERE, found, count)
        REPORT.write_text(table.markdown(found, STATES, systems.STATES), encoding="utf-8")
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
