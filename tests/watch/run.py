#!/usr/bin/env python3
"""grapnel watch: each kind of reader, whatever is cached: the answer is that of the intervals, these obey
the covering rule, and enough of the file is covered (coverage.txt)."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "faults"), str(TESTS / "hooks")]
from harness import case, cases, main, skip  # noqa: E402

import disturbed  # noqa: E402
import grapnel_cli as grapnel  # noqa: E402
import page_cache  # noqa: E402
import readers  # noqa: E402
import recompute  # noqa: E402
import tables  # noqa: E402
from kernel_rights import has_kernel_rights  # noqa: E402
from running import as_nobody  # noqa: E402

SEED = int(os.environ.get("GRAPNEL_TEST_SEED", random.randrange(1 << 30)))
GROUPS = "SELECT kind, count(*), sum(amount) FROM {table} GROUP BY kind ORDER BY kind"
PATIENCE_S = 60
READINGS = 6  # of a file of which the kernel takes pages away meanwhile


def need_kernel_rights():
    if not has_kernel_rights():
        skip("watching needs CAP_BPF and CAP_PERFMON")


def unquoted_csv(path):
    table, answer = tables.csv(path)
    return table[:-1] + ", quote => '')", answer


def unquoted_tbl(path):
    table, answer = tables.tbl(path)
    return table[:-1] + ", quote => '')", answer


WRITERS = {**tables.FORMATS, "unquoted csv": unquoted_csv, "unquoted tbl": unquoted_tbl}


class Table:
    """A file of a format, written once, on the disk of the build."""

    made = {}

    def __init__(self, name):
        directory = grapnel.BUILD / "test-tmp"
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f"watch-{os.getpid()}-{name.replace(' ', '-')}.data"
        self.source, self.answer = WRITERS[name](self.path)
        self.format = recompute.FORMATS[name]
        self.bounds = recompute.record_bounds(self.path.read_bytes(), self.format)

    @classmethod
    def of(cls, name):
        if name not in cls.made:
            cls.made[name] = cls(name)
        return cls.made[name]

    def sql(self, text):
        return text.format(table=self.source)

    def check(self, state, sql):
        """The final line of a watch against the recomputation."""
        assert not state.get("error"), state["error"]
        expected = recompute.recompute(self.path, state, self.format, sql, self.bounds)
        assert state["rows"] == expected, (state["rows"], expected)


class Watch:
    """A running watch; states() after end() has the final line of each statement."""

    def __init__(self, *arguments, json_lines=True, env=None, program=None):
        self.process = subprocess.Popen(
            [*(program or [str(grapnel.PROGRAM)]), "watch", *(["--json"] if json_lines else []),
             *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=None if env is None else {**os.environ, **env})
        self.said = ""
        for line in self.process.stderr:
            self.said += line
            if line.startswith("watching"):
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, ask=True):
        """Ends it as ^C does, or waits for its own end."""
        if ask and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self.out, self.said = out, self.said + err
        self.states = [state for state in map(_json_or_none, out.splitlines())
                       if state and state["final"]]
        return self.process.returncode


def _json_or_none(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


def watch_one(sql, action, *arguments):
    """Watches one statement while `action` runs; the exit code and the final state."""
    with Watch(*arguments, sql) as watch:
        action()
        code = watch.end()
        assert code in (grapnel.EXIT["ok"], grapnel.EXIT["not covered"]), (code, watch.said)
        (state,) = watch.states
        assert state["complete"] == (code == grapnel.EXIT["ok"]), (code, state["complete"])
        return code, state


def coverage(state):
    return 100 * state["counted_bytes"] / max(1, state["data_bytes"])


class TakenAway(AssertionError):
    """The kernel took pages of the file out of the cache before the watch had looked at them, and the watch
    says so: less is covered than was read, which proves nothing."""


def need_coverage(state, percent=100, whole=True):
    """At least so much is counted. Less is a failure, unless the watch has seen pages go. `whole`: a reader
    got every byte through the page cache; then each page that is not covered must be accounted for."""
    if whole:
        lost = state["data_bytes"] - state["covered_bytes"] - state["unknown_bytes"]
        assert lost <= state["gone_bytes"], f"{lost} bytes were read, and nobody knows of them: {state}"
    if coverage(state) >= percent:
        return
    short = f"{coverage(state):.2f} % counted, {state['gone_bytes']} bytes gone: {state}"
    raise (TakenAway if state["gone_bytes"] else AssertionError)(short)


def again_where_pages_are_taken_away(test):
    """Some kernels take pages away without need (DAMON), in moments that nobody knows. Then the test is run
    again; whatever else it asserts must hold each time."""
    @functools.wraps(test)
    def repeated(*arguments, **named):
        for _ in range(READINGS - 1):
            try:
                return test(*arguments, **named)
            except TakenAway as taken:
                print(f"    once more: {str(taken)[:80]}", flush=True)
        return test(*arguments, **named)
    return repeated


def floors():
    """(reader, state of the cache) -> the least that must be counted, in percent."""
    found = {}
    for line in (Path(__file__).parent / "coverage.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, cached, cold = (part.strip() for part in line.split("|"))
            found[name, "cached"], found[name, "cold"] = float(cached), float(cold)
    return found


FLOORS = floors()


WHOLE_READERS = ("cat", "dd bs=100003", "dd bs=1G", "readv, odd sizes", "sendfile")


@cases(reader=list(readers.READERS), state=["cached", "cold"])
@again_where_pages_are_taken_away
def reader_is_seen(tmp, reader, state):
    need_kernel_rights()
    table = Table.of("unquoted tbl")
    page_cache.prepare(table.path, state)
    code, final = watch_one(table.sql(tables.QUERY), lambda: readers.read(reader, table.path, SEED))
    print(f"    seed {SEED}: {coverage(final):.2f} % counted, {final['gone_bytes']} gone, "
          f"{final['audited_bytes']} audited, {final['device_bytes']} from the device", flush=True)
    table.check(final, tables.QUERY)
    need_coverage(final, FLOORS[reader, state], whole=reader in WHOLE_READERS)
    if reader == "cat":
        assert code == grapnel.EXIT["ok"] and final["rows"] == [table.answer.split(",")], final
        assert final["asked_bytes"] == os.path.getsize(table.path), final["asked_bytes"]
    if state == "cached":
        # A page that its reader drops while it is copied may come back from the device: docs/watch.md.
        raced = 64 * 4096 if reader == "drops behind itself" or final["gone_bytes"] else 0
        assert final["device_bytes"] <= raced, final
    if "direct" in reader and state == "cold":
        assert code == grapnel.EXIT["not covered"], code


def _random_cache(path, seed):
    chance = random.Random(seed)
    size = os.path.getsize(path)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for _ in range(chance.randrange(60)):
            os.pread(fd, chance.randrange(1, 1 << 21), chance.randrange(size))
    finally:
        os.close(fd)


@cases(format=list(WRITERS), round=[1, 2, 3])
def random_residency_and_order(tmp, format, round):
    """Some readers one after the other, others beside each other, over a cache in any state."""
    need_kernel_rights()
    seed = SEED + round
    chance = random.Random(seed)
    table = Table.of(format)
    sql = tables.LINES_QUERY if format == "lines" else chance.choice([tables.QUERY, GROUPS])
    _random_cache(table.path, seed)
    chosen = chance.sample(list(readers.READERS), 2)

    def read():
        started = [subprocess.Popen(readers.READERS[name](table.path, seed),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for name in chosen]
        for process in started:
            assert process.wait(timeout=120) == 0, chosen

    code, final = watch_one(table.sql(sql), read)
    print(f"    seed {seed}: {chosen}: {coverage(final):.2f} % counted, "
          f"{final['unknown_bytes']} unknown", flush=True)
    table.check(final, sql)


@case
def quotes_are_proven_from_the_middle(tmp):
    """Random pieces of a file in which one record in 200 has quotes: some are proven by them."""
    need_kernel_rights()
    table = Table.of("quoted csv")
    page_cache.prepare(table.path, "cached")
    _, final = watch_one(table.sql(GROUPS),
                         lambda: readers.read("pread, random", table.path, SEED))
    table.check(final, GROUPS)
    assert final["counted_bytes"] > 0, (SEED, final)


@cases(state=["cached", "cold"])
def complete_gives_the_whole_answer(tmp, state):
    need_kernel_rights()
    for name in ("tbl", "quoted csv"):
        table = Table.of(name)
        page_cache.prepare(table.path, state)
        code, final = watch_one(table.sql(tables.QUERY),
                                lambda: readers.read("pread, random", table.path, SEED),
                                "--complete")
        assert code == grapnel.EXIT["ok"], (code, SEED)
        assert final["rows"] == [table.answer.split(",")], (final["rows"], table.answer)
        assert final["completed_bytes"] > 0, final
        table.check(final, tables.QUERY)


@case
def until_covered_ends_by_itself(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    with Watch("--until-covered", "--for", f"{PATIENCE_S}s", table.sql(tables.QUERY)) as watch:
        # One reading may leave gaps: pages that left the cache before they were computed.
        while watch.process.poll() is None:
            readers.read("cat", table.path)
        code = watch.end(ask=False)
        assert code == grapnel.EXIT["ok"], (code, watch.said, watch.out)
        assert watch.states[0]["rows"] == [table.answer.split(",")], watch.states
        assert watch.states[0]["seconds"] < PATIENCE_S, watch.states[0]["seconds"]


@case
def without_readers_nothing_is_covered(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    page_cache.prepare(table.path, "cached")
    code, final = watch_one(table.sql(tables.QUERY), lambda: time.sleep(0.5))
    assert code == grapnel.EXIT["not covered"], code
    assert final["covered_bytes"] == 0 and final["rows"] == [["0", None, None, None]], final


PART_WITHOUT_READAHEAD = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
os.pread(fd, 4 << 20, 8 << 20)
"""


@case
@again_where_pages_are_taken_away
def adds_no_device_bytes(tmp):
    """A cold file of which one reader takes a part: the watch's own process reads nothing from the
    device, and the rest of the file stays out of the cache."""
    need_kernel_rights()
    table = Table.of("unquoted tbl")
    # First another file of the kind, so that what the program needs of its own code is there.
    small = tmp / "small"
    small.write_bytes(table.path.read_bytes()[:1 << 20].rsplit(b"\n", 1)[0] + b"\n")
    page_cache.prepare(table.path, "cold")
    sql = table.sql(tables.QUERY)
    with Watch(sql, sql.replace(str(table.path), str(small))) as watch:
        readers.read("cat", small)
        time.sleep(0.5)
        before = _read_bytes(watch.process.pid)
        readers.run(PART_WITHOUT_READAHEAD, table.path)
        time.sleep(1)
        own = _read_bytes(watch.process.pid) - before
        behind = sum(page_cache.cached_pages(table.path)[12 << 8:])
        code = watch.end()
        final, _ = watch.states
    table.check(final, tables.QUERY)
    if final["gone_bytes"]:
        raise TakenAway(final)
    assert own == 0, f"the watch read {own} bytes from the device"
    assert code == grapnel.EXIT["not covered"] and final["device_bytes"] == 0, final
    assert final["covered_bytes"] >= 4 << 20, final["covered_bytes"]
    assert behind == 0, f"{behind} pages came in behind what was read"


@case
def pages_that_left_before_they_were_computed_are_accounted_for(tmp):
    need_kernel_rights()
    table = Table.of("unquoted tbl")
    page_cache.prepare(table.path, "cached")
    with Watch(table.sql(tables.QUERY)) as watch:
        watch.process.send_signal(signal.SIGSTOP)
        readers.read("cat", table.path)
        page_cache.prepare(table.path, "cold")
        watch.process.send_signal(signal.SIGINT)
        watch.process.send_signal(signal.SIGCONT)
        code = watch.end(ask=False)
    (final,) = watch.states
    table.check(final, tables.QUERY)
    assert code == grapnel.EXIT["not covered"], (code, final)
    assert final["covered_bytes"] + final["gone_bytes"] >= final["data_bytes"], final
    assert final["asked_bytes"] == os.path.getsize(table.path), final
    assert final["device_bytes"] == 0, final


def wait_until_not_leased(path):
    deadline = time.monotonic() + PATIENCE_S
    while any(line.split()[1] == "LEASE" and line.split()[5].endswith(f":{os.stat(path).st_ino}")
              for line in Path("/proc/locks").read_text().splitlines()):
        assert time.monotonic() < deadline, "the file is kept from writers"
        time.sleep(0.05)


@case
def the_answer_survives_ctrl_c_while_nobody_reads_the_output(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    ours, theirs = os.pipe()
    filled = 0
    os.set_blocking(theirs, False)
    try:
        while True:
            filled += os.write(theirs, b" " * 4096)
    except BlockingIOError:
        os.set_blocking(theirs, True)
    watch = subprocess.Popen([str(grapnel.PROGRAM), "watch", "--json", table.sql(tables.QUERY)],
                             stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
                             text=True)
    os.close(theirs)
    try:
        for line in watch.stderr:
            if line.startswith("watching"):
                break
        time.sleep(1.5)  # so that a line would be due
        watch.send_signal(signal.SIGINT)
        wait_until_not_leased(table.path)
        assert watch.poll() is None, watch.returncode
        with os.fdopen(ours, "rb") as pipe:
            out = pipe.read()
        assert watch.wait(PATIENCE_S) == grapnel.EXIT["not covered"], watch.returncode
    finally:
        watch.kill()
        watch.communicate()
    final = json.loads(out[filled:].decode().splitlines()[-1])
    assert final["final"] and final["rows"] == [["0", None, None, None]], final


def _read_bytes(pid):
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("read_bytes:"):
            return int(line.split()[1])
    raise AssertionError("no read_bytes")


@case
@again_where_pages_are_taken_away
def several_statements_and_files(tmp):
    need_kernel_rights()
    one, two = Table.of("tbl"), Table.of("lines")
    statements = [one.sql(tables.QUERY), two.sql(tables.LINES_QUERY), one.sql(GROUPS)]
    intervals = tmp / "intervals"
    with Watch("--intervals", intervals, *statements) as watch:
        readers.read("cat", one.path)
        code = watch.end()
    assert code == grapnel.EXIT["not covered"], (code, watch.said)
    first, second, third = watch.states
    assert second["covered_bytes"] == 0 and not second["complete"], second
    one.check(first, tables.QUERY)
    one.check(third, GROUPS)
    for state in first, third:
        need_coverage(state)
        assert state["complete"], state
    written = [json.loads(line) for line in intervals.read_text().splitlines()]
    assert [line["counted"] for line in written] == [state["counted"] for state in watch.states]


@case
@again_where_pages_are_taken_away
def a_table_for_people(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    with Watch(table.sql(tables.QUERY), json_lines=False) as watch:
        readers.read("cat", table.path)
        code = watch.end()
    if code == grapnel.EXIT["not covered"] and "had left the page cache" in watch.said:
        raise TakenAway(watch.said)
    assert code == grapnel.EXIT["ok"], watch.said
    cells = [cell.strip() for cell in watch.out.splitlines()[2].split("|")]
    assert cells == table.answer.split(","), watch.out
    assert "100 % of" in watch.said, watch.said


def up_to_page(size):
    return (size + 4095) // 4096 * 4096


@case
@again_where_pages_are_taken_away
def readers_by_pid(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    size = os.path.getsize(table.path)
    page_cache.prepare(table.path, "cold")
    with Watch("--by", "pid", table.sql(tables.QUERY)) as watch:
        first = subprocess.Popen(["cat", table.path], stdout=subprocess.DEVNULL)
        assert first.wait() == 0
        second = subprocess.Popen(["head", "-c", "1000000", table.path],
                                  stdout=subprocess.DEVNULL)
        assert second.wait() == 0
        watch.end()
    by_pid = {reader["pid"]: reader for reader in watch.states[0]["readers"]}
    assert by_pid[first.pid]["comm"] == "cat" and by_pid[first.pid]["asked_bytes"] == size, by_pid
    assert by_pid[first.pid]["started_seconds"] > 0, by_pid
    assert by_pid[second.pid]["asked_bytes"] >= 1_000_000, by_pid
    assert watch.process.pid not in by_pid, by_pid
    caused = sum(reader["caused_bytes"] for reader in by_pid.values())
    if caused > up_to_page(size):
        raise TakenAway(by_pid)  # pages came twice
    assert by_pid[second.pid]["first_bytes"] == 0, by_pid
    assert by_pid[second.pid]["caused_bytes"] == 0, by_pid
    assert 0.9 * size <= caused <= 1.1 * size, (caused, size)


@case
def readers_by_comm_and_cgroup(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    size = os.path.getsize(table.path)
    with Watch("--by", "comm", table.sql(tables.QUERY)) as watch:
        for _ in range(2):
            readers.read("cat", table.path)
        watch.end()
    (cat,) = [reader for reader in watch.states[0]["readers"] if reader["name"] == "cat"]
    assert cat["asked_bytes"] == 2 * size, cat
    with Watch("--by", "cgroup", table.sql(tables.QUERY)) as watch:
        if watch.process.poll() is not None:
            assert "no cgroup v2" in watch.said, watch.said
            return
        readers.read("cat", table.path)
        watch.end()
    assert sum(reader["asked_bytes"] for reader in watch.states[0]["readers"]) == size, watch.states
    assert all(reader["name"].startswith("/") for reader in watch.states[0]["readers"]), watch.states


@cases(what=["write", "truncate", "append", "replace", "remove"])
def a_file_that_changes_is_refused(tmp, what):
    need_kernel_rights()
    path = tmp / "t.tbl"
    path.write_bytes(Table.of("tbl").path.read_bytes()[:1 << 20].rsplit(b"\n", 1)[0] + b"\n")
    sql = f"SELECT count(*) FROM csv('{path}', delim => '|', header => false)"
    with Watch(sql) as watch:
        readers.read("cat", path)
        if what == "write":
            with open(path, "r+b") as file:
                file.write(b"9")
        elif what == "truncate":
            os.truncate(path, 1000)
        elif what == "append":
            with open(path, "ab") as file:
                file.write(b"1|2|3.00|x|\n")
        elif what == "replace":
            (tmp / "new").write_bytes(b"1|2|3.00|x|\n")
            os.rename(tmp / "new", path)
        else:
            os.unlink(path)
        code = watch.end(ask=False)
    assert code == grapnel.EXIT["error"], (code, watch.said)
    words = {"write": "was written to", "truncate": "shrank", "append": "grew",
             "replace": "replaced by another file", "remove": "removed or renamed"}[what]
    assert words in watch.said, watch.said
    assert watch.states[0]["rows"] is None and words in watch.states[0]["error"], watch.states


@case
@again_where_pages_are_taken_away
def follow_inode_stays_with_the_file(tmp):
    need_kernel_rights()
    path = tmp / "t.tbl"
    path.write_bytes(b"1|2|3.00|x|\n" * 1000)
    sql = f"SELECT count(*) FROM csv('{path}', delim => '|', header => false)"
    with Watch("--follow", "inode", sql) as watch:
        moved = tmp / "moved"
        os.rename(path, moved)
        path.write_bytes(b"another\n")
        time.sleep(0.3)
        readers.read("cat", path)
        readers.read("cat", moved)
        code = watch.end()
    need_coverage(watch.states[0])
    assert code == grapnel.EXIT["ok"] and watch.states[0]["rows"] == [["1000"]], watch.said


@case
def bad_data_ends_the_statement(tmp):
    need_kernel_rights()
    path = tmp / "t.csv"
    path.write_bytes(b"1,a\n" * 5000 + b"x,a\n" + b"1,a\n" * 5000)
    sql = f"SELECT sum(n) FROM csv('{path}', header => false, columns => 'n BIGINT, t VARCHAR')"
    with Watch("--for", f"{PATIENCE_S}s", sql) as watch:
        while watch.process.poll() is None:
            readers.read("cat", path)
        code = watch.end(ask=False)
    assert code == grapnel.EXIT["error"] and "line 5001" in watch.said, watch.said


@case
def killed_leaves_nothing(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    with Watch(table.sql(tables.QUERY)) as watch:
        programs = disturbed.programs_of(watch.process.pid)
        assert len(programs) >= 2, programs
        watch.process.send_signal(signal.SIGKILL)
        watch.process.wait()
    left = disturbed.wait_until_gone(programs)
    assert not left, f"programs {left} are still in the kernel"


@case
@again_where_pages_are_taken_away
def sparse_file_of_a_terabyte(tmp):
    """Its size costs nothing; what is read of it does."""
    need_kernel_rights()
    path = tmp / "huge"
    with open(path, "wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            skip("this file system holds no file of a terabyte")
        for at in range(16):
            file.seek(at << 36)
            file.write(b"a line\n" * 100)
    with Watch(f"SELECT count(*) FROM lines('{path}') WHERE line = 'a line'", "--memory", "64MiB"
               ) as watch:
        with open(path, "rb") as file:
            for at in range(16):
                file.seek(at << 36)
                file.read(4096)
        time.sleep(0.5)
        status = Path(f"/proc/{watch.process.pid}/status").read_text()
        code = watch.end()
    resident = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    assert code == grapnel.EXIT["not covered"], (code, watch.said)
    expected = [[str(100 + 15 * 99)]]
    if watch.states[0]["rows"] != expected and watch.states[0]["gone_bytes"]:
        raise TakenAway(watch.states)
    # The first line of each piece but the first begins behind a byte that nobody has read; the last
    # one before the zeroes has an end.
    assert watch.states[0]["rows"] == expected, watch.states[0]["rows"]
    assert resident < 256 << 10, f"{resident} KiB"


@case
def memory_that_is_too_little_costs_coverage_alone(tmp):
    need_kernel_rights()
    table = Table.of("unquoted tbl")
    page_cache.prepare(table.path, "cached")
    _, final = watch_one(table.sql(tables.QUERY),
                         lambda: readers.read("pread, random", table.path, SEED),
                         "--memory", "20KiB")
    table.check(final, tables.QUERY)


@case
def slowdown_is_kept_by_leaving_out(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    page_cache.prepare(table.path, "cached")

    def read():
        end = time.monotonic() + 3
        while time.monotonic() < end:
            readers.read("pread, random", table.path, SEED)

    _, final = watch_one(table.sql(tables.QUERY), read, "--max-slowdown", "0.000001")
    assert final["left_out"] > 0.5, final["left_out"]
    table.check(final, tables.QUERY)


@case
def refusals_say_why(tmp):
    path = tmp / "t.csv"
    path.write_text("a,b\n1,2\n")
    for sql, words, code in [
            (f"SELECT a FROM '{path}'", "aggregates", "refused"),
            (f"EXPLAIN SELECT count(*) FROM '{path}'", "EXPLAIN", "refused"),
            (f"SELECT count(*) FROM '{tmp}/*.csv'", "no pattern", "error"),
            ("SELECT count(*) FROM 'nowhere.csv'", "nowhere.csv", "error")]:
        refused = grapnel.run("watch", sql).expect(grapnel.EXIT[code])
        assert words in refused.err, refused.err
    sql = f"SELECT count(*) FROM '{path}'"
    inline = grapnel.run("watch", "--inline", sql).expect(grapnel.EXIT["refused"])
    assert "not built" in inline.err, inline.err
    for option, value in (("--by", "uid"), ("--follow", "name"), ("--for", "soon")):
        refused = grapnel.run("watch", option, value, sql).expect(grapnel.EXIT["refused"])
        assert option in refused.err and value in refused.err, refused.err


@case
@again_where_pages_are_taken_away
def places_that_are_absent_are_named(tmp):
    need_kernel_rights()
    table = Table.of("tbl")
    page_cache.prepare(table.path, "cold")
    without = {"GRAPNEL_PRETEND_ABSENT": "mm_filemap_get_pages,mm_filemap_map_pages,mm_filemap_fault"}
    with Watch(table.sql(tables.QUERY), env=without) as watch:
        readers.read("cat", table.path)
        code = watch.end()
    assert "mm_filemap_get_pages" in watch.said, watch.said
    table.check(watch.states[0], tables.QUERY)
    need_coverage(watch.states[0])
    assert code == grapnel.EXIT["ok"], watch.said  # the ends of the calls show it all
    absent = {"GRAPNEL_PRETEND_ABSENT": "raw_tp,tp_btf"}
    refused = grapnel.run("watch", table.sql(tables.QUERY), env=absent)
    refused.expect(grapnel.EXIT["hook cannot"])
    assert "sys_exit" in refused.err, refused.err


@case
def without_rights_it_says_which(tmp):
    if os.geteuid() != 0:
        skip("only root can become somebody else")
    path = tmp / "t.csv"
    path.write_text("a,b\n1,2\n")
    os.chmod(tmp, 0o755)
    refused = as_nobody([grapnel.PROGRAM, "watch", f"SELECT count(*) FROM '{path}'"])
    assert refused.returncode == grapnel.EXIT["error"], (refused.returncode, refused.stderr)
    assert "CAP_BPF" in refused.stderr, refused.stderr


if __name__ == "__main__":
    print(f"seed {SEED} (GRAPNEL_TEST_SEED)", flush=True)
    try:
        main()
    finally:
        for made in Table.made.values():
            made.path.unlink()
