"""The file changes while it is read."""

import os

import grapnel_cli as grapnel
from harness import case, cases, skip
from kernel_rights import has_kernel_rights
from running import Running, sparse_fixed

HOOKS = ["read", "mmap", "direct", "pipe"]
RECORD = "%010d,some words that make it longer\n"
RECORDS = 1_000_000


def table_of(tmp):
    path = tmp / "t.csv"
    with open(path, "w") as file:
        for number in range(RECORDS):
            file.write(RECORD % number)
    return path, f"csv('{path}', header => false, columns => 'number BIGINT, words VARCHAR')"


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def write_over(path):
    with open(path, "r+b") as file:
        file.seek(-len(RECORD % 0), os.SEEK_END)
        file.write(b"7")


def replace(path):
    other = path.with_name("other.csv")
    other.write_bytes(path.read_bytes())
    os.rename(other, path)


def append(path):
    with open(path, "a") as file:
        file.write(RECORD % 5)


CHANGES = {"truncated": (truncate, ("truncated", "shrank")),
           "written to": (write_over, ("written to",)),
           "replaced": (replace, ("replaced",))}


@cases(change=list(CHANGES), hook=HOOKS)
def changed_during_a_scan(tmp, change, hook):
    if hook == "pipe" and not has_kernel_rights():
        skip("hooks in the kernel need CAP_BPF or CAP_SYS_ADMIN")
    path, table = table_of(tmp)
    act, words = CHANGES[change]
    with Running(f"SELECT number, words FROM {table} WHERE number >= 0", hook=hook) as query:
        query.wait_for_rows()
        act(path)
        answer = query.finish().expect(grapnel.EXIT["error"])
    assert any(word in answer.err for word in words), answer.err
    assert "t.csv" in answer.err and "hint" in answer.err, answer.err


@cases(hook=HOOKS)
def appended_to_during_a_scan(tmp, hook):
    if hook == "pipe" and not has_kernel_rights():
        skip("hooks in the kernel need CAP_BPF or CAP_SYS_ADMIN")
    path, table = table_of(tmp)
    sql = f"SELECT number FROM {table} WHERE number >= 0"
    with Running(sql, hook=hook) as query:
        query.wait_for_rows()
        append(path)
        answer = query.finish().expect()
    rows = answer.rows()
    assert len(rows) == RECORDS and rows[-1] == str(RECORDS - 1), (len(rows), rows[-1:])
    assert any("grew" in warning for warning in answer.stats["warnings"]), answer.stats
    assert "grew" in answer.err, answer.err

    path, table = table_of(tmp)
    with Running(sql, "--if-changed", "error", hook=hook) as query:
        query.wait_for_rows()
        append(path)
        answer = query.finish().expect(grapnel.EXIT["error"])
    assert "grew" in answer.err, answer.err


@case
def aggregates_are_not_given_out_when_the_file_shrank(tmp):
    path = tmp / "zeros"
    table = sparse_fixed(path, 32 << 30)
    with Running(f"SELECT count(*), sum(a + b) FROM {table}", hook="read") as query:
        query.wait_for_reading(32 << 20)
        os.truncate(path, 4096)
        answer = query.finish().expect(grapnel.EXIT["error"])
    assert answer.out == "", answer.out
    assert "truncated" in answer.err or "shrank" in answer.err, answer.err


@case
def a_writer_is_not_held_up(tmp):
    """The read lease is given back at once when somebody wants to write."""
    path, table = table_of(tmp)
    with Running(f"SELECT number FROM {table}") as query:
        query.wait_for_rows()
        with open(path, "r+b"):  # waits for the lease; the kernel takes it away only after 45 s
            pass
        answer = query.finish().expect()
    assert answer.stats["stability"] == "checked", answer.stats


@case
def stability_is_told(tmp):
    path, table = table_of(tmp)
    sql = f"SELECT count(*) FROM {table}"
    assert grapnel.query(sql).expect().stats["stability"] == "leased"
    with open(path, "r+b"):
        answer = grapnel.query(sql).expect()
        assert answer.stats["stability"] == "open for writing", answer.stats
        grapnel.run("query", "--strict", sql).expect(grapnel.EXIT["error"])
    assert answer.rows() == [str(RECORDS)]
