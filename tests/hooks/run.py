#!/usr/bin/env python3
"""Each hook x format x state of the page cache x threads: the answer, and who computed it."""

import json
import os
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "faults")]
from harness import case, cases, main, skip  # noqa: E402

import block_cases  # noqa: E402
import disturbed  # noqa: E402
import grapnel_cli as grapnel  # noqa: E402
import page_cache  # noqa: E402
import tables  # noqa: E402
from kernel_rights import has_kernel_rights  # noqa: E402

KERNEL_HOOKS = ["pipe", "pagecache", "sendfile", "syscall"]
HOOKS = ["read", "mmap", "direct"] + KERNEL_HOOKS
STATES = ["cold", "half cached", "cached"]
READ_CALLS = ["pread64", "preadv2", "read", "readv"]  # as src/hooks/syscall/read_call.cpp


def need_kernel_rights():
    if not has_kernel_rights():
        skip("hooks in the kernel need CAP_BPF or CAP_SYS_ADMIN")


def is_tmpfs(folder):
    return any(line.split()[1:3] == [folder, "tmpfs"]
               for line in Path("/proc/mounts").read_text().splitlines())


def table_of(name):
    """The table for FROM and the answer; written on the first call."""
    if name not in table_of.made:
        # On the disk of the build: tmpfs has no device and keeps its pages.
        directory = grapnel.BUILD / "test-tmp"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"hooks-{os.getpid()}-{name.replace(' ', '-')}.data"
        table_of.made[name] = (path, *tables.FORMATS[name](path))
    return table_of.made[name]


table_of.made = {}
block_cases.register(table_of)


@cases(format=list(tables.FORMATS), hook=HOOKS, state=STATES, threads=[1, 2])
def hook_computes(tmp, format, hook, state, threads):
    if hook in KERNEL_HOOKS:
        need_kernel_rights()
    path, table, expected = table_of(format)
    page_cache.prepare(path, state)
    answer = grapnel.query(tables.query_of(format, table), hook=hook, threads=threads).expect()
    assert answer.rows() == [expected], (answer.rows(), expected)
    assert answer.stats["threads"] == threads, answer.stats
    assert answer.computed_by(hook) >= 0.95, answer.stats
    assert set(answer.stats["hooks"]) == {hook}, answer.stats
    counters = answer.stats["hooks"][hook]
    if hook in ("read", "direct", "syscall"):
        assert counters["bytes_copied"] >= 0.95 * os.path.getsize(path), counters
    if hook == "mmap":
        assert counters["bytes_copied"] == 0, counters
    if hook in ("pipe", "pagecache", "sendfile"):  # only edges: 64 KiB of an extent, to guess about quotes
        assert counters["bytes_copied"] <= 0.1 * os.path.getsize(path), counters
    if hook == "direct":
        assert counters["device_bytes"] >= 0.95 * os.path.getsize(path), counters
    if hook == "direct" and state == "cold":
        left = sum(page_cache.cached_pages(path))
        # The first pages are sniffed through the cache, with their readahead.
        assert left * page_cache.PAGE < 0.5 * os.path.getsize(path), f"{left} pages came into the cache"


@cases(state=STATES, threads=[1, 2])
def chooser_takes_what_suits_the_cache(tmp, state, threads):
    path, table, expected = table_of("tbl")
    page_cache.prepare(path, state)
    # A cache of its own: costs that were measured here before would make another choice right.
    answer = grapnel.query(tables.query_of("tbl", table), threads=threads,
                           env={"XDG_CACHE_HOME": str(tmp)}).expect()
    assert answer.rows() == [expected], (answer.rows(), expected)
    direct = answer.computed_by("direct")
    in_cache = 1 - direct
    stats = answer.stats
    if state == "cached":
        assert in_cache >= 0.95, stats
    elif state == "cold":
        assert direct >= 0.6, stats
    else:
        assert 0.2 <= direct <= 0.8 and stats["why"], stats


def expect_exact(answer, hook, expected):
    assert answer.expect().rows() == [expected], (answer.rows(), expected)
    assert answer.computed_by(hook) >= 0.95, answer.stats


@cases(format=["tbl", "quoted csv", "fixed"], hook=KERNEL_HOOKS, threads=[1, 2])
def beside_another_reader(tmp, format, hook, threads):
    need_kernel_rights()
    path, table, expected = table_of(format)
    with disturbed.beside(disturbed.READER, path):
        for state in STATES:
            page_cache.drop_some(path, state)
            expect_exact(grapnel.query(tables.query_of(format, table), hook=hook, threads=threads),
                         hook, expected)


@cases(format=["tbl", "lines"], hook=KERNEL_HOOKS, threads=[1, 2])
def while_pages_are_taken_away(tmp, format, hook, threads):
    need_kernel_rights()
    path, table, expected = table_of(format)
    with disturbed.beside(disturbed.DROPPER, path):
        for _ in range(disturbed.ROUNDS):
            expect_exact(grapnel.query(tables.query_of(format, table), hook=hook, threads=threads),
                         hook, expected)


@cases(hook=KERNEL_HOOKS)
def with_too_little_memory(tmp, hook):
    """The group has less than the file: the kernel takes pages back while they are read."""
    need_kernel_rights()
    path, table, expected = table_of("tbl")
    sql = tables.query_of("tbl", table)
    grapnel.query(sql, hook=hook).expect()  # compiled, now
    limit = 25 << 20
    assert limit < os.path.getsize(path)
    with disturbed.memory_group(limit) as members:
        if members is None:
            skip("no control group for memory can be made")
        page_cache.drop_some(path, "cold")
        for _ in range(disturbed.ROUNDS):
            answer = disturbed.query_in_group(members, sql, hook=hook, threads=1)
            expect_exact(answer, hook, expected)
        left = sum(page_cache.cached_pages(path)) * page_cache.PAGE
        assert left <= limit, f"{left} bytes are cached: nothing was taken back"


@cases(hook=KERNEL_HOOKS)
def killed_leaves_nothing(tmp, hook):
    need_kernel_rights()
    _, table, _ = table_of("tbl")
    for _ in range(20):
        programs = disturbed.kill_while_loaded(tables.query_of("tbl", table), hook)
        if programs:
            break
    assert programs, "the query was never caught with a program in the kernel"
    left = disturbed.wait_until_gone(programs)
    assert not left, f"programs {left} are still in the kernel"


@case
def pagecache_says_where_it_sits(tmp):
    need_kernel_rights()
    _, table, expected = table_of("tbl")
    sql = tables.query_of("tbl", table)
    plan = grapnel.query("EXPLAIN " + sql, hook="pagecache").expect().out
    chosen = [line for line in plan.splitlines() if "* pagecache" in line]
    assert len(chosen) == 1 and "via " in chosen[0] and "filemap_get_pages" in chosen[0], plan
    absent = {"GRAPNEL_PRETEND_ABSENT": "fexit,raw_tp,kprobe"}
    refused = grapnel.query(sql, hook="pagecache", env=absent).expect(grapnel.EXIT["hook cannot"])
    assert "kprobe is switched off" in refused.err, refused.err
    answer = grapnel.query(sql, hook="pagecache,any", env=absent).expect()
    assert answer.rows() == [expected] and answer.computed_by("pagecache") == 0, answer.stats


@cases(format=list(tables.FORMATS), state=STATES)
def filedynptr_or_why_not(tmp, format, state):
    """Few kernels permit it: tests/guest has one of them."""
    need_kernel_rights()
    path, table, expected = table_of(format)
    page_cache.drop_some(path, state)
    answer = grapnel.query(tables.query_of(format, table), hook="filedynptr", threads=2)
    if answer.code == grapnel.EXIT["hook cannot"]:
        assert "lsm.s/file_ioctl" in answer.err or "security modules" in answer.err, answer.err
        answer = grapnel.query(tables.query_of(format, table), hook="filedynptr,any").expect()
        assert answer.rows() == [expected] and answer.computed_by("filedynptr") == 0, answer.stats
    else:
        expect_exact(answer, "filedynptr", expected)


def place_of(sql, hook, env):
    """What EXPLAIN says where the hook sits."""
    plan = grapnel.query("EXPLAIN " + sql, hook=hook, env=env).expect().out
    chosen = [line for line in plan.splitlines() if f"* {hook}" in line]
    assert len(chosen) == 1, plan
    return chosen[0].split("via ")[1].rstrip('"')


@cases(call=READ_CALLS, format=["quoted csv", "tbl", "fixed"], threads=[1, 2])
def syscall_knows_each_call(tmp, call, format, threads):
    need_kernel_rights()
    path, table, expected = table_of(format)
    env = {"GRAPNEL_PRETEND_ABSENT": ",".join(READ_CALLS[:READ_CALLS.index(call)])}
    sql = tables.query_of(format, table)
    assert place_of(sql, "syscall", env).endswith(f" of {call}"), place_of(sql, "syscall", env)
    page_cache.drop_some(path, "half cached")
    expect_exact(grapnel.query(sql, hook="syscall", threads=threads, env=env), "syscall", expected)


@case
def syscall_at_the_typed_tracepoint(tmp):
    need_kernel_rights()
    _, table, expected = table_of("tbl")
    sql, env = tables.query_of("tbl", table), {"GRAPNEL_PRETEND_ABSENT": "raw_tp"}
    assert place_of(sql, "syscall", env).startswith("tp_btf/sys_exit"), place_of(sql, "syscall", env)
    expect_exact(grapnel.query(sql, hook="syscall", env=env), "syscall", expected)


@cases(hook=["pagecache", "syscall", "block"], absent=["", "raw_tp", "raw_tp,tp_btf", "fexit"])
def facts_are_those_of_the_place_in_use(tmp, hook, absent):
    need_kernel_rights()
    _, table, _ = table_of("tbl")
    table = json.loads(grapnel.run("where", "--json", tables.query_of("tbl", table),
                                   env={"GRAPNEL_PRETEND_ABSENT": absent}).expect().out)
    row = next(row for row in table["hooks"] if row["hook"] == hook)
    if not row["attach_point"]:  # no place is left
        assert not row["permitted"] or not row["eligible"], row
        return
    is_event = row["attach_point"].split("/")[0] in ("raw_tp", "tp_btf")
    assert row["kind"] == ("tracepoint" if is_event else "function"), row
    assert row["exact"] == (hook != "block" and not (hook == "pagecache" and is_event)), row
    assert row["since"] == ("6.12" if hook == "pagecache" and is_event else "5.17"), row


@cases(absent=["raw_tp,tp_btf", "sys_exit", ",".join(READ_CALLS)])
def syscall_without_a_place_is_refused(tmp, absent):
    need_kernel_rights()
    _, table, _ = table_of("tbl")
    refused = grapnel.query(tables.query_of("tbl", table), hook="syscall",
                            env={"GRAPNEL_PRETEND_ABSENT": absent}).expect(
                                grapnel.EXIT["hook cannot"])
    assert "switched off" in refused.err, refused.err


@case
def tmpfs_is_refused_by_pagecache(tmp):
    need_kernel_rights()
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        if not is_tmpfs("/dev/shm"):
            skip("/dev/shm is not tmpfs here")
        file.write(b"1\n2\n")
        file.flush()
        sql = f"SELECT count(*) FROM lines('{file.name}')"
        refused = grapnel.query(sql, hook="pagecache").expect(grapnel.EXIT["hook cannot"])
        assert "tmpfs" in refused.err, refused.err
        assert grapnel.query(sql, hook="pagecache,any").expect().rows() == ["2"]


if __name__ == "__main__":
    try:
        main()
    finally:
        for made in table_of.made.values():
            os.unlink(made[0])
