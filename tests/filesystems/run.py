#!/usr/bin/env python3
"""Each file system x each hook, cold and cached: the right answer or a refusal, as expected.txt says.

A wrong answer is a failure, a refusal with its reason passes. A cell that differs from the expected one fails
too: a hook that silently vanishes, or suddenly works, must be changed in the table on purpose:
  tests/filesystems/run.py --accept       (writes expected.txt from what was found)
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "hooks"), str(HERE)]
from harness import case, cases, main, skip  # noqa: E402

import grapnel_cli as grapnel  # noqa: E402
import mounts  # noqa: E402
import page_cache  # noqa: E402
import tables  # noqa: E402

tables.SIZE = 3 << 20
EXPECTED = HERE / "expected.txt"
HOOKS = ["read", "mmap", "direct", "pipe", "pagecache", "sendfile", "syscall"]
# Trace events of the block layer get lost on some machines (src/hooks/block/README.md).
BLOCK_ATTEMPTS = 8
accept = "--accept" in sys.argv
found = {}


def expected():
    if not EXPECTED.exists():
        return {}
    lines = [line for line in EXPECTED.read_text(encoding="utf-8").splitlines()
             if line.strip() and not line.startswith("#")]
    return {tuple(part.strip() for part in line.split("|")[:3]): line.split("|", 3)[3].strip()
            for line in lines}


def write_expected():
    lines = ["# file system | state of the page cache | hook | exact, or why not. Written by run.py --accept."]
    lines += [" | ".join([*key, cell]) for key, cell in found.items()]
    EXPECTED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def without_names(reason, path):
    """The reason as it is on every machine."""
    text = reason.replace(str(path), "FILE")
    return re.sub(r"\d+", "N", text)


def cell_of(answer, hook, right, path):
    if answer.code == grapnel.EXIT["hook cannot"]:
        return "refused: " + without_names(
            answer.err.strip().splitlines()[0].removeprefix(
                f"grapnel: --hook {hook} cannot do this query: ").removeprefix("grapnel: "), path)
    answer.expect()
    assert answer.rows() == [right], f"wrong answer {answer.rows()}, right is {right}"
    if answer.computed_by(hook) < 0.9 and os.path.getsize(path) > 1 << 20:
        return "partly: other hooks and the exact form did more than a tenth"
    return "exact"


def bring(path, kind, state):
    """`path` is where the pages are: on overlayfs the file below. tmpfs has no other copy of them."""
    if kind != "tmpfs":
        page_cache.prepare(path, state)


def try_cell(query, hook, right, paths, kind, state):
    """`paths`: where the file is read, and where its pages are."""
    for _ in range(BLOCK_ATTEMPTS if hook == "block" else 1):
        bring(paths[1], kind, state)
        cell = cell_of(grapnel.query(query, hook=hook, threads=1), hook, right, paths[0])
        if not cell.startswith("partly") and "nothing of it was seen" not in cell:
            break
    return cell


@cases(kind=list(mounts.KINDS))
def file_system(tmp, kind):
    if why := mounts.may_mount():
        skip(why)
    wanted = expected()
    wrong = []
    try:
        with mounts.mounted(kind, grapnel.BUILD / "test-tmp" / f"mounts-{os.getpid()}") as (where, origin):
            if kind == "ext4, inline data":  # 90 bytes: they lie in the inode
                (origin / "table.data").write_text("".join(f"{n},{n % 7}\n" for n in range(12)))
                query, right = "SELECT count(*), sum(a) FROM csv('{}', header => false, " \
                    "columns => 'a BIGINT, b BIGINT')", "12,66"
                query = query.format(where / "table.data")
            else:
                table, right = tables.FORMATS["tbl"](origin / "table.data")
                query = tables.query_of("tbl", table.replace(str(origin), str(where)))
            path = where / "table.data"
            subprocess.run(["sync", "-f", str(path)], check=True)
            for state in ("cold", "cached"):
                for hook in [*HOOKS, "block"]:
                    try:
                        cell = try_cell(query, hook, right, (path, origin / "table.data"), kind, state)
                    except AssertionError as error:
                        wrong.append(f"{state}, {hook}: {error}")
                        continue
                    found[kind, state, hook] = cell
                    if not accept and wanted.get((kind, state, hook)) != cell:
                        wrong.append(f"{state}, {hook}: '{cell}', expected.txt says "
                                     f"'{wanted.get((kind, state, hook))}'")
    except mounts.CannotMount as error:
        skip(f"{kind}: {error}")
    assert not wrong, "\n".join(wrong)


# --- Files that are special on any file system ---

def big_directory():
    directory = grapnel.BUILD / "test-tmp"
    directory.mkdir(parents=True, exist_ok=True)
    return tempfile.NamedTemporaryFile(dir=directory, suffix=".data")


def fixed_sum(path, hook):
    return grapnel.query(f"SELECT count(*), sum(a) FROM fixed('{path}', columns => 'a BIGINT')",
                         hook=hook, threads=2)


@cases(hook=[*HOOKS, "block,any"])
def holes_and_unwritten_extents_are_zeros(tmp, hook):
    if hook not in HOOKS[:3] and os.geteuid() != 0:
        skip("hooks in the kernel need root")
    with big_directory() as file:
        os.posix_fallocate(file.fileno(), 0, 8 << 20)  # unwritten
        os.truncate(file.name, 24 << 20)               # then a hole
        for at in (0, 5 << 20, (20 << 20) + 4096):
            os.pwrite(file.fileno(), (7).to_bytes(8, "little"), at)
        os.fsync(file.fileno())
        answer = fixed_sum(file.name, hook).expect()
        assert answer.rows() == [f"{(24 << 20) // 8},21"], answer.rows()


@case
def a_sparse_file_of_10_tb_needs_no_memory(tmp):
    with big_directory() as file:
        os.truncate(file.name, 10 * 10**12)
        process = subprocess.Popen(
            [str(grapnel.PROGRAM), "query", "--format", "csv",
             f"SELECT count(*), sum(a) FROM fixed('{file.name}', columns => 'a BIGINT')"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        peak_kib = 0
        for _ in range(30):
            time.sleep(0.1)
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                peak_kib = max([peak_kib] + [int(line.split()[1]) for line in status
                                             if line.startswith("VmHWM")])
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 130, process.returncode
        assert 0 < peak_kib < 200 << 10, f"{peak_kib} KiB"


@cases(hook=[*HOOKS, "block,any"])
def an_empty_file_has_no_records(tmp, hook):
    if hook not in HOOKS[:3] and os.geteuid() != 0:
        skip("hooks in the kernel need root")
    path = tmp / "empty.data"
    path.touch()
    answer = fixed_sum(path, hook).expect()
    assert answer.rows() == ["0,"], answer.rows()


@cases(kind=["fifo", "socket", "device", "proc", "directory"])
def what_is_no_file_is_refused(tmp, kind):
    path = tmp / "special"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        import socket
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "directory":
        path.mkdir()
    else:
        path = {"device": "/dev/zero", "proc": "/proc/self/maps"}[kind]
    answer = grapnel.query(f"SELECT count(*) FROM lines('{path}')", timeout=20)
    assert answer.code in (1, 2), (answer.code, answer.out, answer.err)
    assert str(path) in answer.err and "hint:" in answer.err, answer.err


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--accept"]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    if accept and found:
        write_expected()
    sys.exit(code)
